/** The agents of a run as they were at a moment. */
import type { AgentNow, Noted } from "../types/live.ts";
import type { SwarmEventView } from "../types/swarm_event.ts";
import { spanId, traceId } from "../types/units.ts";
import type { ReplayColumns } from "./replay_columns.ts";
import { timeOf } from "./replay_columns.ts";
import { eventOfRow, placeKey } from "./replay_events.ts";
import type { ReplayState } from "./replay_index.ts";

/** Agents that had spoken by then, by their id; `known`: events in full, by their places. */
export function agentsAt(
  columns: ReplayColumns,
  state: ReplayState,
  known: ReadonlyMap<string, SwarmEventView>,
): ReadonlyMap<string, AgentNow> {
  const agents = new Map<string, AgentNow>();
  columns.agents.forEach(({ id }, agent) => {
    if ((state.agentRow[agent] as number) >= 0)
      agents.set(id, agentAt(columns, state, agent, known));
  });
  return agents;
}

function agentAt(
  columns: ReplayColumns,
  state: ReplayState,
  agent: number,
  known: ReadonlyMap<string, SwarmEventView>,
): AgentNow {
  const noted = (row: number) => notedAt(columns, row, known);
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
    last: noted(state.agentAct[agent] as number),
    decision: noted(state.agentDecision[agent] as number),
    error: noted(state.agentFailure[agent] as number),
  };
}

function statusOf(columns: ReplayColumns, row: number): string {
  return row < 0 ? "" : (columns.statuses[columns.status[row] as number] ?? "");
}

function spanOf(columns: ReplayColumns, row: number): AgentNow["span"] {
  const trace = columns.traces[columns.trace[row] as number] ?? "";
  return trace === "" ? null : { traceId: traceId(trace), spanId: spanId(""), name: "" };
}

function notedAt(
  columns: ReplayColumns,
  row: number,
  known: ReadonlyMap<string, SwarmEventView>,
): Noted | null {
  if (row < 0) return null;
  const told = eventOfRow(columns, row);
  const { id, kind, summary, atMs } = known.get(placeKey(told)) ?? told;
  return { id, kind, text: summary, atMs };
}

/** Places of what agents decided last, of those that decided last; their words are worth fetching. */
export function lastDecisions(
  columns: ReplayColumns,
  state: ReplayState,
  most: number,
): readonly string[] {
  const rows = [...state.agentDecision].filter((row) => row >= 0);
  const newest = rows.sort((left, right) => right - left).slice(0, most);
  return newest.map((row) => placeKey(eventOfRow(columns, row)));
}
