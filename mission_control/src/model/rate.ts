/** Events per second, for the last minute. Pure. */

export interface RateBins {
  /** The second (since 1970) of the newest bin. */
  readonly last: number;
  /** Oldest first; always `BIN_COUNT`. */
  readonly counts: readonly number[];
}

export const BIN_COUNT = 60;
export const NO_RATE: RateBins = { last: 0, counts: new Array<number>(BIN_COUNT).fill(0) };

/** Return the bins with events counted at their seconds; what is older than the bins is left out. */
export function counted(bins: RateBins, storedMs: readonly number[], nowMs: number): RateBins {
  const moved = movedTo(bins, Math.floor(nowMs / 1000));
  const counts = [...moved.counts];
  for (const stored of storedMs) {
    // A server whose clock is ahead of this one's counts as now.
    const second = Math.min(Math.floor(stored / 1000), moved.last);
    const index = BIN_COUNT - 1 - (moved.last - second);
    if (index >= 0) counts[index] = (counts[index] ?? 0) + 1;
  }
  return { last: moved.last, counts };
}

/** Return the bins with time gone on to `second`. */
export function movedTo(bins: RateBins, second: number): RateBins {
  const steps = Math.min(second - bins.last, BIN_COUNT);
  if (steps <= 0) return bins;
  const counts = [...bins.counts.slice(steps), ...new Array<number>(steps).fill(0)];
  return { last: second, counts };
}
