/** Which agents the board shows, and in which order. Pure. */

import type { AgentNow } from "../types/live.ts";
import type { Milliseconds } from "../types/units.ts";
import { isAtWork } from "./agents.ts";
import { ROLES } from "./kinds.ts";

export interface Board {
  /** Those that failed and those at work. */
  readonly present: readonly AgentNow[];
  /** Those that stopped in order, or were not heard for long; heard of last first. */
  readonly past: readonly AgentNow[];
}

/** Without any sign for so long an agent at work is called silent. */
const SILENT_MS = 60_000;
/** Without any sign for so long nobody expects one. */
const GONE_MS = 15 * 60_000;

/** Return the board at a time: what went wrong first, then by role and name. */
export function boardOf(agents: Iterable<AgentNow>, now: Milliseconds): Board {
  const present: AgentNow[] = [];
  const past: AgentNow[] = [];
  for (const agent of agents) (isPresent(agent, now) ? present : past).push(agent);
  return {
    present: present.sort(byNeed),
    past: past.sort((one, other) => other.lastSeenMs - one.lastSeenMs),
  };
}

/** Return whether an agent at work has not been heard for longer than it should. */
export function isSilent(agent: AgentNow, now: Milliseconds): boolean {
  return isAtWork(agent) && now - agent.lastSeenMs > SILENT_MS;
}

function isPresent(agent: AgentNow, now: Milliseconds): boolean {
  const isRecent = now - agent.lastSeenMs < GONE_MS;
  return isRecent && (isAtWork(agent) || agent.error !== null);
}

function byNeed(one: AgentNow, other: AgentNow): number {
  return (
    Number(other.error !== null) - Number(one.error !== null) ||
    roleOrder(one) - roleOrder(other) ||
    one.agentId.localeCompare(other.agentId, "en", { numeric: true })
  );
}

function roleOrder(agent: AgentNow): number {
  const index = ROLES.indexOf(agent.role);
  return index < 0 ? ROLES.length : index;
}
