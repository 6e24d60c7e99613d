/** Which rows of a long list of equal rows are in view. Pure. */

export interface RowWindow {
  readonly from: number;
  /** After the last. */
  readonly to: number;
}

export interface Scrolled {
  readonly count: number;
  /** In pixels, like the others. */
  readonly rowHeight: number;
  /** Of the part of the list that is seen. */
  readonly height: number;
  /** How far down the first row is scrolled; null: the end of the list is in view. */
  readonly top: number | null;
}

/** Rows beyond what is seen, on either side ... */
const OVERSCAN = 12;
/** ... and of a list that is not scrolled. */
const LITTLE = 2;

/** Return the rows to draw: as many as fit, and some beyond. */
export function rowWindow({ count, rowHeight, height, top }: Scrolled): RowWindow {
  const seen = Math.ceil(height / rowHeight) + 1;
  const last = Math.max(count - seen, 0);
  const first = top === null ? last : Math.min(Math.max(Math.floor(top / rowHeight), 0), last);
  const beyond = top === null ? LITTLE : OVERSCAN;
  return { from: Math.max(first - beyond, 0), to: Math.min(first + seen + beyond, count) };
}

/** Return where to scroll so that a row is seen whole; null: it is. */
export function topToShow(row: number, { rowHeight, height, top }: Scrolled): number | null {
  if (top === null) return null;
  const start = row * rowHeight;
  if (start < top) return start;
  const end = start + rowHeight - height;
  return end > top ? end : null;
}
