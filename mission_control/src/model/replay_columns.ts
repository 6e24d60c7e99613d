/**
 * A run's history as typed arrays: one row per event, in the order of its streams, merged by time.
 *
 * The API's answer is turned into these once, when it arrives; everything about replay reads from
 * here.
 */
import type { Milliseconds, Sequence } from "../types/units.ts";

/** What `GET /runs/{run_id}/replay` answers, as far as replay reads it. */
export interface ReplayDocument {
  readonly run_id: string;
  readonly rows: number;
  readonly streams: readonly string[];
  readonly agents: readonly { readonly id: string; readonly role: string }[];
  readonly kinds: readonly string[];
  readonly statuses: readonly string[];
  readonly tasks: readonly string[];
  readonly resources: readonly ReplayResource[];
  readonly hashes: readonly string[];
  readonly traces: readonly string[];
  readonly columns: Readonly<Record<ReplayColumnName, readonly number[]>>;
}

export interface ReplayResource {
  readonly workspace_id: string;
  readonly type: string;
  readonly name: string;
}

export type ReplayColumnName =
  | "seq"
  | "stream"
  | "time_ms"
  | "kind"
  | "agent"
  | "flag"
  | "status"
  | "task"
  | "resource"
  | "hash"
  | "size"
  | "mode"
  | "cause"
  | "trace";

/** Where a row stands in its stream. */
export interface Place {
  readonly stream: string;
  readonly seq: Sequence;
}

export interface ReplayColumns {
  readonly runId: string;
  readonly rows: number;
  readonly streams: readonly string[];
  readonly agents: readonly { readonly id: string; readonly role: string }[];
  readonly kinds: readonly string[];
  readonly statuses: readonly string[];
  readonly resources: readonly ReplayResource[];
  readonly hashes: readonly string[];
  readonly traces: readonly string[];
  readonly seq: Float64Array;
  readonly stream: Uint8Array;
  readonly timeMs: Float64Array;
  readonly kind: Uint8Array;
  readonly agent: Uint32Array;
  /** 1: the event tells of a failure. */
  readonly flag: Uint8Array;
  /** Index into `statuses`. */
  readonly status: Uint32Array;
  /** Index into `resources`; -1: the row changes none. */
  readonly resource: Int32Array;
  /** Index into `hashes`; that of the empty text: the resource exists no longer. */
  readonly hash: Uint32Array;
  /** Bytes after the change. */
  readonly size: Float64Array;
  readonly mode: Uint32Array;
  /** Row of the first cause; -1: none of these rows. */
  readonly cause: Int32Array;
  /** Index into `traces`. */
  readonly trace: Uint32Array;
}

/** Raised when an answer is no replay: its columns differ in length, or name what is not listed. */
export class ReplayFormatError extends Error {
  constructor(readonly reason: string) {
    super(`the history of this run cannot be read: ${reason}`);
    this.name = "ReplayFormatError";
  }
}

/** Builds the arrays; throws ReplayFormatError for an answer that contradicts itself. */
export function parseReplay(document: ReplayDocument): ReplayColumns {
  checkLengths(document);
  const { columns } = document;
  const parsed: ReplayColumns = {
    runId: document.run_id,
    rows: document.rows,
    streams: document.streams,
    agents: document.agents,
    kinds: document.kinds,
    statuses: document.statuses,
    resources: document.resources,
    hashes: document.hashes,
    traces: document.traces,
    seq: Float64Array.from(columns.seq),
    stream: Uint8Array.from(columns.stream),
    timeMs: Float64Array.from(columns.time_ms),
    kind: Uint8Array.from(columns.kind),
    agent: Uint32Array.from(columns.agent),
    flag: Uint8Array.from(columns.flag),
    status: Uint32Array.from(columns.status),
    resource: Int32Array.from(columns.resource),
    hash: Uint32Array.from(columns.hash),
    size: Float64Array.from(columns.size),
    mode: Uint32Array.from(columns.mode),
    cause: Int32Array.from(columns.cause),
    trace: Uint32Array.from(columns.trace),
  };
  checkNames(parsed);
  return parsed;
}

export function placeOf(columns: ReplayColumns, row: number): Place {
  return {
    stream: columns.streams[columns.stream[row] ?? 0] ?? "",
    seq: (columns.seq[row] ?? 0) as Sequence,
  };
}

export function timeOf(columns: ReplayColumns, row: number): Milliseconds {
  return (columns.timeMs[row] ?? 0) as Milliseconds;
}

/** Last row whose time is at or before `timeMs`; -1: all are later. */
export function lastRowAtTime(columns: ReplayColumns, timeMs: Milliseconds): number {
  return lastAtMost(columns.timeMs, timeMs, columns.rows);
}

/** Index of the last of the first `count` values that is at most `limit`; -1: none. They ascend. */
export function lastAtMost(
  values: ArrayLike<number>,
  limit: number,
  count = values.length,
): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] as number) <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function checkLengths(document: ReplayDocument): void {
  for (const [name, values] of Object.entries(document.columns)) {
    if (values.length !== document.rows) {
      throw new ReplayFormatError(`column ${name} has ${values.length} of ${document.rows} rows`);
    }
  }
}

function checkNames(columns: ReplayColumns): void {
  const named: [string, ArrayLike<number>, number][] = [
    ["stream", columns.stream, columns.streams.length],
    ["kind", columns.kind, columns.kinds.length],
    ["agent", columns.agent, columns.agents.length],
    ["status", columns.status, columns.statuses.length],
    ["resource", columns.resource, columns.resources.length],
    ["hash", columns.hash, columns.hashes.length],
    ["trace", columns.trace, columns.traces.length],
    ["cause", columns.cause, columns.rows],
  ];
  for (const [name, values, listed] of named) checkBelow(name, values, listed);
}

function checkBelow(name: string, values: ArrayLike<number>, listed: number): void {
  for (let row = 0; row < values.length; row += 1) {
    if ((values[row] as number) >= listed) {
      throw new ReplayFormatError(`column ${name} names what is not listed, in row ${row}`);
    }
  }
}
