/** The moments of one resource: how it started, and what it was after each change. Pure. */

import type { ResourceChange } from "../services/trace_api.ts";
import { milliseconds } from "../types/units.ts";
import { safeLine } from "./safe_text.ts";
import { clock } from "./time_text.ts";

export interface ResourceMoment {
  /** Event of the change; `start` for what was there before the first. */
  readonly id: string;
  readonly label: string;
  /** Digest of the content; empty: it did not exist. */
  readonly digest: string;
  readonly change: ResourceChange | null;
}

export const START = "start";
const AGENT_LENGTH = 24;

/** Return the moments in order; a resource that was never changed has none but its start. */
export function momentsOf(changes: readonly ResourceChange[]): readonly ResourceMoment[] {
  const first = changes[0];
  const start = {
    id: START,
    label: first?.previous ? "as it was before" : "before it existed",
    digest: first?.previous ?? "",
    change: null,
  };
  return [start, ...changes.map((change, index) => momentOf(change, index + 1))];
}

function momentOf(change: ResourceChange, number: number): ResourceMoment {
  const at = clock(milliseconds(Date.parse(change.at))).slice(0, 8);
  const deleted = change.new === "" ? ", deleted" : "";
  return {
    id: change.event_id,
    label: `${number}. ${at} ${safeLine(change.agent_id, AGENT_LENGTH)}${deleted}`,
    digest: change.new,
    change,
  };
}
