/**
 * Playing a run: which row is due after some time of playing. Pure; the clock is the caller's.
 */
import { type ReplayAxis, rowAtPosition } from "./replay_axis.ts";

export const SPEEDS = ["1", "10", "max"] as const;
export type Speed = (typeof SPEEDS)[number];

/** At full speed a run of any length is over in about this time. */
const FULL_LENGTH_MS = 5_000;
/** No speed is slower than real time. */
const FACTORS: Readonly<Record<Exclude<Speed, "max">, number>> = { "1": 1, "10": 10 };

/** Where playing stands: a position on the axis, which lies between rows for most of the time. */
export interface Playback {
  readonly position: number;
  readonly row: number;
  readonly isOver: boolean;
}

/** Starts at a row; at the last row, from the beginning. */
export function startPlayback(axis: ReplayAxis, row: number): Playback {
  const isAtEnd = row >= axis.positions.length - 1;
  return at(axis, isAtEnd ? 0 : (axis.positions[row] ?? 0));
}

/** Goes on by the time that has passed since the last frame. */
export function advancePlayback(
  axis: ReplayAxis,
  playback: Playback,
  speed: Speed,
  elapsedMs: number,
): Playback {
  const factor = speed === "max" ? Math.max(axis.length / FULL_LENGTH_MS, 10) : FACTORS[speed];
  return at(axis, Math.min(playback.position + elapsedMs * factor, axis.length));
}

function at(axis: ReplayAxis, position: number): Playback {
  const row = rowAtPosition(axis, position);
  return { position, row, isOver: row >= axis.positions.length - 1 };
}
