/** Which events of a list are shown. Pure. */

import type { EventQuery } from "../services/trace_api.ts";
import type { SwarmEventView } from "../types/swarm_event.ts";

/** Empty values choose nothing out. */
export interface EventFilter {
  readonly role: string;
  readonly agent: string;
  readonly kind: string;
  readonly run: string;
  readonly text: string;
}

export const NO_FILTER: EventFilter = { role: "", agent: "", kind: "", run: "", text: "" };

/** Return what says of an event whether it is shown; text is looked for whatever its case. */
export function accepting(filter: EventFilter): (event: SwarmEventView) => boolean {
  const { role, agent, kind, run } = filter;
  const text = filter.text.toLowerCase();
  return (event) =>
    (role === "" || event.role === role) &&
    (agent === "" || event.agentId === agent) &&
    (kind === "" || event.kind === kind) &&
    (run === "" || event.runId === run) &&
    (text === "" || hasText(event, text));
}

/** Return whether anything is chosen out. */
export function isFiltering(filter: EventFilter): boolean {
  return Object.values(filter).some((value) => value !== "");
}

/** Return the same choice as the API takes it. */
export function queryOf(filter: EventFilter): EventQuery {
  const { role, agent, kind, run, text } = filter;
  return { role, agent_id: agent, kind, run_id: run, text };
}

function hasText(event: SwarmEventView, text: string): boolean {
  return (
    event.summary.toLowerCase().includes(text) ||
    event.agentId.toLowerCase().includes(text) ||
    (event.resource?.toLowerCase().includes(text) ?? false)
  );
}
