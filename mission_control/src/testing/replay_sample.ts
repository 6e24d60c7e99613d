/** Runs made up for tests: small ones drawn at random, and one of any size that looks like work. */
import * as fc from "fast-check";
import { parseReplay, type ReplayColumns, type ReplayDocument } from "../model/replay_columns.ts";

const KINDS = ["decision", "state_change", "system_signal", "tool_call", "task_transition"];
const STREAMS = ["ENCHANTED_SWARM", "SWARM_COORDINATION"];
const STATUSES = ["", "HEALTHY", "CRITICAL_FAILURE", "ok", "failed"];
const ROLES = ["ARCHITECT", "CODER", "REVIEWER", "OPERATOR"];

/** What one row of a made-up run says. */
export interface SampleRow {
  readonly stream: number;
  readonly passedMs: number;
  readonly kind: number;
  readonly agent: number;
  readonly flag: number;
  readonly status: number;
  readonly resource: number;
  readonly hash: number;
  readonly size: number;
  readonly cause: number;
}

const AGENTS = 5;
const RESOURCES = 7;
const HASHES = ["", "a".repeat(64), "b".repeat(64), "c".repeat(64)];

const sampleRow: fc.Arbitrary<SampleRow> = fc.record({
  stream: fc.nat(1),
  passedMs: fc.oneof(fc.constant(0), fc.nat(50), fc.nat(100_000)),
  kind: fc.nat(KINDS.length - 1),
  agent: fc.nat(AGENTS - 1),
  flag: fc.nat(1),
  status: fc.nat(STATUSES.length - 1),
  resource: fc.nat(RESOURCES - 1),
  hash: fc.nat(HASHES.length - 1),
  size: fc.nat(1_000_000),
  cause: fc.nat(1_000),
});

/** A run of up to `maxRows` rows with whatever in them. */
export function anyReplay(maxRows: number): fc.Arbitrary<ReplayColumns> {
  return fc.array(sampleRow, { maxLength: maxRows }).map(replayOfRows);
}

export function replayOfRows(rows: readonly SampleRow[]): ReplayColumns {
  return parseReplay(documentOfRows(rows));
}

/** A run of `count` rows in which agents decide and change files in turn, and fail now and then. */
export function workingReplay(count: number): ReplayColumns {
  return parseReplay(workingDocument(count));
}

export function workingDocument(count: number): ReplayDocument {
  const rows = Array.from({ length: count }, (_, row) => workingRow(row));
  return documentOfRows(rows);
}

export function documentOfRows(rows: readonly SampleRow[]): ReplayDocument {
  const next = [0, 0];
  let time = Date.UTC(2026, 0, 31, 12);
  const isChange = (row: SampleRow) => KINDS[row.kind] === "state_change";
  return {
    run_id: "run-1",
    rows: rows.length,
    streams: STREAMS,
    agents: Array.from({ length: AGENTS }, (_, index) => ({
      id: `agent-${index}`,
      role: ROLES[index % ROLES.length] ?? "",
    })),
    kinds: KINDS,
    statuses: STATUSES,
    tasks: [],
    resources: Array.from({ length: RESOURCES }, (_, index) => resourceAt(index)),
    hashes: HASHES,
    traces: [""],
    columns: {
      seq: rows.map((row) => {
        next[row.stream] = (next[row.stream] ?? 0) + 1;
        return (next[row.stream] ?? 0) * 3;
      }),
      stream: rows.map((row) => row.stream),
      time_ms: rows.map((row) => {
        time += row.passedMs;
        return time;
      }),
      kind: rows.map((row) => row.kind),
      agent: rows.map((row) => row.agent),
      flag: rows.map((row) => row.flag),
      status: rows.map((row) => row.status),
      task: rows.map(() => -1),
      resource: rows.map((row) => (isChange(row) ? row.resource : -1)),
      hash: rows.map((row) => (isChange(row) ? row.hash : 0)),
      size: rows.map((row) => row.size),
      mode: rows.map(() => 0),
      cause: rows.map((row, index) => (index === 0 ? -1 : (row.cause % (index + 1)) - 1)),
      trace: rows.map(() => 0),
    },
  };
}

function resourceAt(index: number): ReplayDocument["resources"][number] {
  const workspace_id = index < RESOURCES - 1 ? "run-1" : "other";
  if (index === 0) return { workspace_id, type: "ENV_VAR", name: "PATH" };
  return { workspace_id, type: "FILE_SYSTEM", name: `src/part${index % 3}/file${index}.py` };
}

function workingRow(row: number): SampleRow {
  const kind = [0, 3, 1, 1, 4, 2][row % 6] ?? 0;
  const flag = row % 97 === 96 ? 1 : 0;
  return {
    stream: kind === 4 ? 1 : 0,
    passedMs: row % 500 === 499 ? 60_000 : row % 7,
    kind,
    agent: Math.floor(row / 6) % AGENTS,
    flag,
    status: 1 + flag,
    resource: row % RESOURCES,
    hash: row % 41 === 40 ? 0 : 1 + (row % 3),
    size: 100 + (row % 1_000),
    cause: row,
  };
}
