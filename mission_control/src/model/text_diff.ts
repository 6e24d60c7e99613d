/** Two texts compared by lines, for reading. Pure. */

import { diffArrays } from "diff";

export type DiffSign = "same" | "added" | "removed";

export interface DiffLine {
  readonly sign: DiffSign;
  /** Line number in the text before, from 1; null: it is not in it. */
  readonly before: number | null;
  /** Line number in the text after, from 1; null: it is not in it. */
  readonly after: number | null;
  readonly text: string;
  /** The last line of its text, which ends without a newline. */
  readonly isUnended: boolean;
}

/** Two lines beside each other; null: nothing stands on that side. */
export interface DiffPair {
  readonly before: DiffLine | null;
  readonly after: DiffLine | null;
}

export interface TextDiff {
  readonly lines: readonly DiffLine[];
  readonly added: number;
  readonly removed: number;
  /** False: it took too long, so everything is shown as removed and added. */
  readonly isExact: boolean;
}

/** A line, or lines that are left out because nothing near them differs. */
export type Folded =
  | { readonly kind: "line"; readonly index: number }
  | { readonly kind: "gap"; readonly from: number; readonly to: number };

/** Comparing two texts that have little in common takes time; a reader does not wait for it. */
const TIMEOUT_MS = 400;

/** Return what differs; of texts that differ too much in too many lines, coarsely. */
export function diffTexts(before: string, after: string, timeoutMs = TIMEOUT_MS): TextDiff {
  const old = splitLines(before);
  const young = splitLines(after);
  const found = diffArrays([...old.keys], [...young.keys], { timeout: timeoutMs });
  const parts = found ?? [
    { removed: true, added: false, count: old.keys.length },
    { removed: false, added: true, count: young.keys.length },
  ];
  const lines: DiffLine[] = [];
  let [at, to] = [0, 0];
  for (const part of parts) {
    for (let index = 0; index < part.count; index += 1) {
      lines.push(lineOf(part.removed ? old : young, part, at, to));
      if (!part.added) at += 1;
      if (!part.removed) to += 1;
    }
  }
  return {
    lines,
    added: countOf(lines, "added"),
    removed: countOf(lines, "removed"),
    isExact: found !== undefined,
  };
}

/** Return the lines beside each other: what was removed stands beside what came in its place. */
export function pairLines(lines: readonly DiffLine[]): readonly DiffPair[] {
  const pairs: DiffPair[] = [];
  let [removed, added]: [DiffLine[], DiffLine[]] = [[], []];
  const flush = () => {
    for (let index = 0; index < Math.max(removed.length, added.length); index += 1) {
      pairs.push({ before: removed[index] ?? null, after: added[index] ?? null });
    }
    [removed, added] = [[], []];
  };
  for (const line of lines) {
    if (line.sign === "removed") removed.push(line);
    else if (line.sign === "added") added.push(line);
    else {
      flush();
      pairs.push({ before: line, after: line });
    }
  }
  flush();
  return pairs;
}

/** Return what to show of `count` lines: what differs with `context` lines around, and the gaps. */
export function fold(
  count: number,
  differs: (index: number) => boolean,
  context: number,
  opened: ReadonlySet<number>,
): readonly Folded[] {
  const shown = new Uint8Array(count);
  for (let index = 0; index < count; index += 1) {
    if (!differs(index)) continue;
    shown.fill(1, Math.max(index - context, 0), Math.min(index + context + 1, count));
  }
  const folded: Folded[] = [];
  for (let index = 0; index < count; ) {
    let end = index;
    while (end < count && !shown[end]) end += 1;
    // A gap of one line takes as much room as the line.
    if (end - index > 1 && !opened.has(index)) folded.push({ kind: "gap", from: index, to: end });
    else for (let line = index; line < end; line += 1) folded.push({ kind: "line", index: line });
    if (end < count) folded.push({ kind: "line", index: end });
    index = end + 1;
  }
  return folded;
}

interface Lines {
  readonly texts: readonly string[];
  /** What lines are compared by: the text, and whether a newline follows. */
  readonly keys: readonly string[];
  readonly hasEnd: boolean;
}

function splitLines(text: string): Lines {
  if (text === "") return { texts: [], keys: [], hasEnd: true };
  const hasEnd = text.endsWith("\n");
  const texts = (hasEnd ? text.slice(0, -1) : text).split("\n");
  const keys = texts.map((line) => `${line}\n`);
  if (!hasEnd) keys[keys.length - 1] = texts.at(-1) ?? "";
  return { texts, keys, hasEnd };
}

function lineOf(
  from: Lines,
  part: { readonly removed: boolean; readonly added: boolean },
  at: number,
  to: number,
): DiffLine {
  const index = part.removed ? at : to;
  return {
    sign: part.removed ? "removed" : part.added ? "added" : "same",
    before: part.added ? null : at + 1,
    after: part.removed ? null : to + 1,
    text: from.texts[index] ?? "",
    isUnended: !from.hasEnd && index === from.texts.length - 1,
  };
}

function countOf(lines: readonly DiffLine[], sign: DiffSign): number {
  return lines.reduce((count, line) => count + (line.sign === sign ? 1 : 0), 0);
}
