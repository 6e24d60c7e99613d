/** The agents of a run as they were at a moment. */
import type { AgentNow, Noted } from "../types/live.ts";
import { spanId, traceId } from "../types/units.ts";
import type { ReplayColumns } from "./replay_columns.ts";
import { timeOf } from "./replay_columns.ts";
import { eventOfRow } from "./replay_events.ts";
import type { ReplayState } from "./replay_index.ts";

/** Agents that had spoken by then, by their id. */
export function agentsAt(
  columns: ReplayColumns,
  state: ReplayState,
): ReadonlyMap<string, AgentNow> {
  const agents = new Map<string, AgentNow>();
  columns.agents.forEach(({ id }, agent) => {
    if ((state.agentRow[agent] as number) >= 0) agents.set(id, agentAt(columns, state, agent));
  });
  return agents;
}

function agentAt(columns: ReplayColumns, state: ReplayState, agent: number): AgentNow {
  const { id, role } = columns.agents[agent] as ReplayColumns["agents"][number];
  const last = state.agentRow[agent] as number;
  return {
    agentId: id,
    role,
    runId: columns.runId,
    status: statusOf(columns, state.agentSignal[agent] as number),
    firstSeenMs: timeOf(columns, 0),
    lastSeenMs: timeOf(columns, last),
    events: state.agentEvents[agent] as number,
    decisions: state.agentDecisions[agent] as number,
    changes: state.agentChanges[agent] as number,
    failures: state.agentErrors[agent] as number,
    cpu: [],
    memory: [],
    span: spanOf(columns, last),
    last: notedAt(columns, last),
    decision: notedAt(columns, state.agentDecision[agent] as number),
    error: notedAt(columns, state.agentFailure[agent] as number),
  };
}

function statusOf(columns: ReplayColumns, row: number): string {
  return row < 0 ? "" : (columns.statuses[columns.status[row] as number] ?? "");
}

function spanOf(columns: ReplayColumns, row: number): AgentNow["span"] {
  const trace = columns.traces[columns.trace[row] as number] ?? "";
  return trace === "" ? null : { traceId: traceId(trace), spanId: spanId(""), name: "" };
}

function notedAt(columns: ReplayColumns, row: number): Noted | null {
  if (row < 0) return null;
  const { id, kind, summary, atMs } = eventOfRow(columns, row);
  return { id, kind, text: summary, atMs };
}
