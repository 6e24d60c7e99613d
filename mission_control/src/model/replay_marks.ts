/** The rows worth stopping at: decisions, changes and errors. */
import { CATEGORY, categoryOf } from "./event_category.ts";
import { lastAtMost, type ReplayColumns } from "./replay_columns.ts";

/** Rows of decisions, changes and errors, ascending. */
export function buildMarks(columns: ReplayColumns): Int32Array {
  const isMark = columns.kinds.map((kind) => {
    const category = categoryOf(kind);
    return category === CATEGORY.decision || category === CATEGORY.change;
  });
  const rows: number[] = [];
  for (let row = 0; row < columns.rows; row += 1) {
    if (columns.flag[row] === 1 || isMark[columns.kind[row] as number]) rows.push(row);
  }
  return Int32Array.from(rows);
}

/** The first mark after a row; undefined: there is none. */
export function markAfter(marks: Int32Array, row: number): number | undefined {
  return marks[lastAtMost(marks, row) + 1];
}

/** The last mark before a row; undefined: there is none. */
export function markBefore(marks: Int32Array, row: number): number | undefined {
  return marks[lastAtMost(marks, row - 1)];
}
