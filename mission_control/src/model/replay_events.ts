/** Rows of a run as events, as far as its columns tell; what they say is fetched when it is seen. */
import type { SwarmEventView } from "../types/swarm_event.ts";
import { eventId, spanId, traceId } from "../types/units.ts";
import { subjectOfRow } from "./replay.ts";
import { placeOf, type ReplayColumns, timeOf } from "./replay_columns.ts";
import { safeLine } from "./safe_text.ts";

const SUMMARY_LENGTH = 240;
/** Stands for words that columns do not hold. */
const UNKNOWN_WORDS = "…";
const NOTHING_KNOWN = {
  subject: "",
  at: "",
  spanId: spanId(""),
  emitterId: "",
  emitterSeq: 0,
  causedBy: [],
  attributes: {},
  redactions: {},
  payload: { case: undefined },
  isWhole: false,
  undecodableReason: "",
} as const;

/** The event of a row without its payload; its id is its place, which the API takes as one. */
export function eventOfRow(columns: ReplayColumns, row: number): SwarmEventView {
  const place = placeOf(columns, row);
  const agent = columns.agents[columns.agent[row] as number];
  const resource = columns.resources[columns.resource[row] as number];
  return {
    ...NOTHING_KNOWN,
    ...place,
    id: eventId(`${place.stream}#${place.seq}`),
    atMs: timeOf(columns, row),
    kind: columns.kinds[columns.kind[row] as number] ?? "",
    role: agent?.role ?? "",
    agentId: agent?.id ?? "",
    runId: columns.runId,
    traceId: traceId(columns.traces[columns.trace[row] as number] ?? ""),
    workspaceId: resource?.workspace_id ?? "",
    summary: safeLine(subjectOfRow(columns, row), SUMMARY_LENGTH) || UNKNOWN_WORDS,
    isError: columns.flag[row] === 1,
    resource: resource?.name ?? null,
  };
}

/** Name of a row's place, to find its event by; unique in the run. */
export function placeKey(event: Pick<SwarmEventView, "stream" | "seq">): string {
  return `${event.stream}#${event.seq}`;
}

/** The last `count` rows up to a row, oldest first: events where they are known, else rows. */
export function eventsUpTo(
  columns: ReplayColumns,
  row: number,
  count: number,
  known: ReadonlyMap<string, SwarmEventView>,
): readonly SwarmEventView[] {
  const first = Math.max(row - count + 1, 0);
  return Array.from({ length: Math.max(row - first + 1, 0) }, (_, index) => {
    const at = first + index;
    return known.get(placeKey(placeOf(columns, at))) ?? eventOfRow(columns, at);
  });
}

/**
 * Where a page of events ends that shows a row as its newest: by stream, the first sequence that
 * is not on it.
 */
export function placesAfter(columns: ReplayColumns, row: number): Readonly<Record<string, number>> {
  const places: Record<string, number> = {};
  for (let at = row; at >= 0; at -= 1) {
    const { stream, seq } = placeOf(columns, at);
    places[stream] ??= seq + 1;
    if (Object.keys(places).length === columns.streams.length) break;
  }
  return places;
}
