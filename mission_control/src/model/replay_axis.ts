/**
 * Where a run's rows lie on the slider: by time, with long pauses shortened.
 *
 * A run that waited a night would otherwise be two dots at the ends. Positions are milliseconds of
 * active time and strictly ascend, so that every row can be reached and every position names one
 * row.
 */
import { lastAtMost } from "./replay_columns.ts";

/** A pause longer than this is drawn and played as this. */
export const LONGEST_PAUSE_MS = 2_000;
/** Rows of the same instant still lie this far apart. */
const SHORTEST_STEP_MS = 0.05;

export interface ReplayAxis {
  /** Position of each row; the first lies at 0. */
  readonly positions: Float64Array;
  /** Position of the last row; at least a little above 0, so that it can be divided by. */
  readonly length: number;
}

/** Lays out rows by their times, which do not descend. */
export function buildAxis(timeMs: ArrayLike<number>): ReplayAxis {
  const positions = new Float64Array(timeMs.length);
  let position = 0;
  for (let row = 1; row < timeMs.length; row += 1) {
    const passed = (timeMs[row] as number) - (timeMs[row - 1] as number);
    position += Math.min(Math.max(passed, SHORTEST_STEP_MS), LONGEST_PAUSE_MS);
    positions[row] = position;
  }
  return { positions, length: Math.max(position, SHORTEST_STEP_MS) };
}

/** The row shown at a position: the last one at or before it. Before the first: the first. */
export function rowAtPosition(axis: ReplayAxis, position: number): number {
  return Math.max(lastAtMost(axis.positions, position), 0);
}

/** Share of the axis, 0 to 1, at which a row lies. */
export function fractionOfRow(axis: ReplayAxis, row: number): number {
  return (axis.positions[row] ?? 0) / axis.length;
}

/** The row nearest to a share of the axis; what lies outside is one of the ends. */
export function rowAtFraction(axis: ReplayAxis, fraction: number): number {
  const position = Math.min(Math.max(fraction, 0), 1) * axis.length;
  const before = rowAtPosition(axis, position);
  const after = Math.min(before + 1, axis.positions.length - 1);
  const isAfterNearer =
    (axis.positions[after] ?? 0) - position < position - (axis.positions[before] ?? 0);
  return isAfterNearer ? after : before;
}
