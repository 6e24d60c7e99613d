/** How much happened where on the axis of a run: what the strip above the slider draws. */
import { CATEGORY, categoryOf } from "./event_category.ts";
import type { ReplayAxis } from "./replay_axis.ts";
import type { ReplayColumns } from "./replay_columns.ts";

/** One value per bucket, usually one bucket per pixel or two. */
export interface Density {
  readonly decisions: Uint32Array;
  readonly changes: Uint32Array;
  readonly errors: Uint32Array;
  readonly events: Uint32Array;
  /** The highest count of events in a bucket; at least 1. */
  readonly highest: number;
}

export function buildDensity(columns: ReplayColumns, axis: ReplayAxis, buckets: number): Density {
  const density = emptyDensity(buckets);
  const categories = columns.kinds.map(categoryOf);
  for (let row = 0; row < columns.rows; row += 1) {
    const bucket = bucketAt(axis.positions[row] as number, axis.length, buckets);
    const category = categories[columns.kind[row] as number];
    count(density.events, bucket);
    if (category === CATEGORY.decision) count(density.decisions, bucket);
    if (category === CATEGORY.change) count(density.changes, bucket);
    if (columns.flag[row] === 1) count(density.errors, bucket);
  }
  return { ...density, highest: highestOf(density.events) };
}

/** The bucket that a position of an axis falls into; the end belongs to the last. */
export function bucketAt(position: number, length: number, buckets: number): number {
  return Math.min(Math.floor((position / length) * buckets), buckets - 1);
}

/** Height of a bar, 0 to 1: by the root, so that few stay visible beside many. */
export function barHeight(value: number, highest: number): number {
  return Math.sqrt(value / Math.max(highest, 1));
}

function emptyDensity(buckets: number): Omit<Density, "highest"> {
  return {
    decisions: new Uint32Array(buckets),
    changes: new Uint32Array(buckets),
    errors: new Uint32Array(buckets),
    events: new Uint32Array(buckets),
  };
}

function count(counts: Uint32Array, bucket: number): void {
  counts[bucket] = (counts[bucket] as number) + 1;
}

function highestOf(counts: Uint32Array): number {
  let highest = 1;
  for (const value of counts) highest = Math.max(highest, value);
  return highest;
}
