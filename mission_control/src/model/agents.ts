/** What events say of the agents that sent them. Pure. */

import type { Agent } from "../services/trace_api.ts";
import type { AgentNow, Noted } from "../types/live.ts";
import type { SwarmEventView } from "../types/swarm_event.ts";
import { eventId, milliseconds, spanId, traceId } from "../types/units.ts";
import { safeLine } from "./safe_text.ts";

export type Agents = ReadonlyMap<string, AgentNow>;

/** Values of cpu and memory that are kept for each agent. */
const SERIES_LENGTH = 60;
const TEXT_LIMIT = 240;
const DECISION = "decision";
const STOPPED = "STOPPED";

/** Return the agents after some more events; at most `bound`, the longest silent are let go. */
export function withEvents(
  agents: Agents,
  events: readonly SwarmEventView[],
  bound: number,
): Agents {
  if (events.length === 0) return agents;
  const after = new Map(agents);
  for (const event of events) {
    if (event.agentId === "") continue;
    after.set(event.agentId, withEvent(after.get(event.agentId) ?? newAgent(event), event));
  }
  return after.size > bound ? lastHeard(after, bound) : after;
}

/** Return the agents with those that history knows and no live event has told of. */
export function withKnown(agents: Agents, known: readonly Agent[]): Agents {
  const after = new Map(agents);
  for (const agent of known) {
    const live = after.get(agent.agent_id);
    const past = agentOfHistory(agent);
    if (!live) after.set(agent.agent_id, past);
    else after.set(agent.agent_id, joined(past, live));
  }
  return after;
}

/** Return whether an agent is at work: it has spoken, and not said that it stops. */
export function isAtWork(agent: AgentNow): boolean {
  return agent.status !== STOPPED;
}

function newAgent(event: SwarmEventView): AgentNow {
  return {
    agentId: event.agentId,
    role: event.role,
    runId: event.runId,
    status: "",
    firstSeenMs: event.atMs,
    lastSeenMs: event.atMs,
    events: 0,
    decisions: 0,
    changes: 0,
    failures: 0,
    cpu: [],
    memory: [],
    span: null,
    last: null,
    decision: null,
    error: null,
  };
}

function withEvent(agent: AgentNow, event: SwarmEventView): AgentNow {
  const isSignal = event.payload.case === "systemSignal";
  return {
    ...agent,
    role: event.role,
    runId: event.runId || agent.runId,
    lastSeenMs: milliseconds(Math.max(agent.lastSeenMs, event.atMs)),
    events: agent.events + 1,
    decisions: agent.decisions + Number(event.kind === DECISION),
    changes: agent.changes + Number(event.kind === "state_change"),
    failures: agent.failures + Number(event.isError),
    span: event.spanId ? spanOf(agent, event) : agent.span,
    last: isSignal || event.kind === DECISION ? agent.last : noted(event),
    decision: event.kind === DECISION ? noted(event) : agent.decision,
    ...signalled(agent, event),
  };
}

function spanOf({ span }: AgentNow, { traceId, spanId }: SwarmEventView): AgentNow["span"] {
  return span?.spanId === spanId ? span : { traceId, spanId, name: "" };
}

/** An error stands until the agent says that it is well, starts anew or stops in order. */
function signalled(agent: AgentNow, event: SwarmEventView): Partial<AgentNow> {
  if (event.payload.case !== "systemSignal") return {};
  const { status, cpuLoadPercent, memoryUsageMb } = event.payload.value;
  return {
    status: status || agent.status,
    cpu: lengthened(agent.cpu, cpuLoadPercent),
    memory: lengthened(agent.memory, memoryUsageMb),
    error: event.isError ? failure(event) : status === STOPPED ? agent.error : null,
  };
}

function lengthened(series: readonly number[], value: number): readonly number[] {
  return [...series.slice(1 - SERIES_LENGTH), value];
}

/** What went wrong; that something did is shown beside it. */
function failure(event: SwarmEventView): Noted {
  const detail = event.payload.case === "systemSignal" ? event.payload.value.detail : "";
  return { ...noted(event), text: safeLine(detail, TEXT_LIMIT) || event.summary };
}

function noted(event: SwarmEventView): Noted {
  return { id: event.id, kind: event.kind, text: event.summary, atMs: event.atMs };
}

function lastHeard(agents: Agents, bound: number): Agents {
  const all = [...agents].sort(([, one], [, other]) => other.lastSeenMs - one.lastSeenMs);
  return new Map(all.slice(0, bound));
}

/** Counts of history include what the stream has told since this page was opened. */
function joined(past: AgentNow, live: AgentNow): AgentNow {
  return {
    ...live,
    status: live.status || past.status,
    span: live.span?.spanId === past.span?.spanId ? past.span : (live.span ?? past.span),
    firstSeenMs: milliseconds(Math.min(past.firstSeenMs, live.firstSeenMs)),
    events: Math.max(past.events, live.events),
    decisions: Math.max(past.decisions, live.decisions),
    changes: Math.max(past.changes, live.changes),
    failures: Math.max(past.failures, live.failures),
    cpu: live.cpu.length < past.cpu.length ? past.cpu : live.cpu,
    memory: live.memory.length < past.memory.length ? past.memory : live.memory,
    decision: live.decision ?? past.decision,
    last: live.last ?? past.last,
    error: live.status === "" ? past.error : live.error,
  };
}

function agentOfHistory(agent: Agent): AgentNow {
  const decision = agent.last_decision;
  const made = decision && notedOf(decision.event_id, "decision", decision.rationale, decision.at);
  return {
    agentId: agent.agent_id,
    role: agent.role,
    runId: agent.run_id,
    status: agent.status,
    firstSeenMs: milliseconds(Date.parse(agent.first_seen) || 0),
    lastSeenMs: milliseconds(Date.parse(agent.last_seen) || 0),
    events: agent.events,
    decisions: agent.decisions,
    changes: agent.changes,
    failures: agent.failures,
    cpu: agent.cpu.map((point) => point.v),
    memory: agent.memory.map((point) => point.v),
    span: agent.current_span && {
      traceId: traceId(agent.current_span.trace_id),
      spanId: spanId(agent.current_span.span_id),
      name: safeLine(agent.current_span.name, TEXT_LIMIT),
    },
    last: null,
    decision: made,
    error:
      agent.error &&
      notedOf(agent.error.event_id, "system_signal", agent.error.detail, agent.error.at),
  };
}

function notedOf(id: string, kind: string, text: string, at: string): Noted {
  return {
    id: eventId(id),
    kind,
    text: safeLine(text, TEXT_LIMIT),
    atMs: milliseconds(Date.parse(at) || 0),
  };
}
