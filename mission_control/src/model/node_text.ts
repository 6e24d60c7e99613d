/** What people read of an event in the graph, and where its links lead. */
import type { NodeText } from "../types/graph.ts";
import type { SwarmEventView } from "../types/swarm_event.ts";
import { nameOf } from "./kinds.ts";
import { formatMoment } from "./replay_moment.ts";
import { safeLine } from "./safe_text.ts";
import { clock } from "./time_text.ts";

const NAME_LENGTH = 60;

/** `eventHref`: where an event is shown on the page that the graph is on. */
export function textOfEvent(
  event: SwarmEventView,
  eventHref: (event: SwarmEventView) => string,
): NodeText {
  const who = safeLine(event.agentId, NAME_LENGTH);
  return {
    title: `${who} · ${nameOf(event.kind)} · ${clock(event.atMs)}`,
    text: event.summary,
    eventHref: eventHref(event),
    traceHref: traceHref(event),
    diffHref: diffHref(event),
  };
}

function traceHref({ traceId, id }: SwarmEventView): string {
  if (traceId === "") return "";
  return `/debug/${encodeURIComponent(traceId)}?${new URLSearchParams({ event: id })}`;
}

/** The change of a resource on the page of its run; other events change none. */
export function diffHref(event: SwarmEventView): string {
  const { resource, runId, workspaceId } = event;
  if (resource === null || runId === "" || event.kind !== "state_change") return "";
  return fileHref(runId, workspaceId || runId, resource, formatMoment(event));
}

/** Where a file of a run is shown as it was at a moment. */
export function fileHref(runId: string, workspaceId: string, file: string, at: string): string {
  const query = new URLSearchParams({ tab: "files", file, workspace: workspaceId, at });
  return `/runs/${encodeURIComponent(runId)}?${query}`;
}
