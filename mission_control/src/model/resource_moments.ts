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

interface Place {
  readonly stream: string;
  readonly seq: number;
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

/** Return the index of the moment with this event, else of the last one up to `at`, else -1. */
export function indexOfMoment(
  moments: readonly ResourceMoment[],
  id: string,
  at: Place | null,
): number {
  const found = moments.findIndex((moment) => moment.id === id);
  if (found >= 0 || at === null) return found;
  return moments.findLastIndex(
    ({ change }) => change?.stream === at.stream && change.stream_seq <= at.seq,
  );
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
