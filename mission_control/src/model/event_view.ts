/** The one place where wire bytes and rows of history become what components see. Pure. */

import { create, fromBinary, fromJson, type JsonObject } from "@bufbuild/protobuf";
import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { type SwarmEvent, SwarmEventSchema } from "../gen/enchanted/events/v1/events_pb.ts";
import type { EventRow } from "../services/trace_api.ts";
import type { Kind, Place, Role, SwarmEventView } from "../types/swarm_event.ts";
import { eventId, milliseconds, sequence, spanId, traceId } from "../types/units.ts";
import { resourceOf, summaryOf, tellsOfFailure } from "./summary.ts";
import { trimmed } from "./trimming.ts";

export const UNKNOWN_KIND = "unknown";
export const UNDECODABLE_KIND = "undecodable";
const NIL_UUID = "00000000-0000-0000-0000-000000000000";
const ROLES: readonly Role[] = ["UNSPECIFIED", "ARCHITECT", "CODER", "REVIEWER", "OPERATOR"];
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ENVELOPE_NAMES = new Set(SwarmEventSchema.fields.map((field) => field.name));

/** Return the view of a message of the stream; what is no event reads as kind `undecodable`. */
export function viewOfBytes(bytes: Uint8Array, place: Place): SwarmEventView {
  let event: SwarmEvent;
  try {
    event = fromBinary(SwarmEventSchema, bytes);
  } catch (error) {
    return viewOfEvent(create(SwarmEventSchema), place, reasonOf(error));
  }
  const isEvent = UUID.test(event.eventId.toLowerCase());
  const whole = viewOfEvent(event, place, isEvent ? "" : "event_id is not a UUID");
  return { ...whole, ...trimmed(whole.payload) };
}

/** Return the view of a row of `swarm.events` as the API answers it. */
export function viewOfRow(row: EventRow): SwarmEventView {
  const whole = wholeViewOfRow(row);
  return { ...whole, ...trimmed(whole.payload) };
}

/** Return the view with nothing cut, for where one event is shown. */
export function wholeViewOfRow(row: EventRow): SwarmEventView {
  const place = { stream: row.stream, seq: sequence(row.stream_seq), subject: row.subject };
  if (row.kind === UNDECODABLE_KIND) {
    const reason = String(row["undecodable_reason"] ?? "") || "no event";
    return viewOfEvent(create(SwarmEventSchema), place, reason);
  }
  const event = fromJson(SwarmEventSchema, jsonOfRow(row), { ignoreUnknownFields: true });
  return viewOfEvent(event, place, "");
}

/** Return a kind as history names it: `stateChange` reads `state_change`. */
export function kindName(payloadCase: string): Kind {
  return payloadCase.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Return a role as history names it; the number of one that is new here. */
export function roleName(role: number): Role {
  return ROLES[role] ?? String(role);
}

function viewOfEvent(event: SwarmEvent, place: Place, undecodableReason: string): SwarmEventView {
  const { payload } = event;
  return {
    id: eventId(event.eventId.toLowerCase() || NIL_UUID),
    ...place,
    atMs: milliseconds(event.timestamp ? millisecondsOf(event.timestamp) : 0),
    at: event.timestamp ? textOfTime(event.timestamp) : "",
    kind: undecodableReason
      ? UNDECODABLE_KIND
      : payload.case
        ? kindName(payload.case)
        : UNKNOWN_KIND,
    role: roleName(event.agentRole),
    agentId: event.agentId,
    runId: event.runId,
    traceId: traceId(event.traceId),
    spanId: spanId(event.spanId),
    workspaceId: event.workspaceId,
    emitterId: event.emitterId,
    emitterSeq: Number(event.emitterSeq),
    causedBy: event.causedBy.map((id) => eventId(id.toLowerCase())),
    attributes: event.attributes,
    redactions: event.redactions,
    summary: summaryOf(payload, undecodableReason),
    isError: tellsOfFailure(payload, undecodableReason),
    resource: resourceOf(payload),
    payload,
    isWhole: true,
    undecodableReason,
  };
}

function jsonOfRow(row: EventRow): JsonObject {
  const envelope: JsonObject = {
    timestamp: row.event_time,
    agent_role: roleNumber(row.agent_role),
  };
  const payload: JsonObject = {};
  for (const [name, value] of Object.entries(row)) {
    if (name === "agent_role" || name === "event_time" || value === null) continue;
    if (ENVELOPE_NAMES.has(name)) envelope[name] = value;
    else payload[name] = value;
  }
  if (row.kind !== UNKNOWN_KIND && ENVELOPE_NAMES.has(row.kind)) envelope[row.kind] = payload;
  return envelope;
}

function roleNumber(role: Role): number {
  const known = ROLES.indexOf(role);
  return known >= 0 ? known : Number(role) || 0;
}

function millisecondsOf(time: Timestamp): number {
  return timestampMs({ ...time, nanos: 0 }) + time.nanos / 1e6;
}

/** Years beyond what a Date holds have no text. */
function textOfTime(time: Timestamp): string {
  const second = new Date(Number(time.seconds) * 1000);
  if (Number.isNaN(second.getTime())) return "";
  const digits = time.nanos.toString().padStart(9, "0").replace(/0+$/, "");
  return second.toISOString().replace(".000Z", digits ? `.${digits}Z` : "Z");
}

function reasonOf(error: unknown): string {
  return `does not decode: ${error instanceof Error ? error.message : String(error)}`;
}
