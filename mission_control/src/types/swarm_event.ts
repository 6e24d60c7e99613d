import type { SwarmEvent } from "../gen/enchanted/events/v1/events_pb.ts";
import type { EventId, Milliseconds, Sequence, SpanId, TraceId } from "./units.ts";

/** The payload as decoded: `{ case, value }`; `case` is undefined where this version knows none. */
export type Payload = SwarmEvent["payload"];

/** Kind as history names it: `state_change`; `unknown` and `undecodable` where there is no payload. */
export type Kind = string;

/** Role as history names it: `CODER`; `UNSPECIFIED` where unset; a number that is new here. */
export type Role = string;

/** Where a message stands. */
export interface Place {
  readonly stream: string;
  readonly seq: Sequence;
  readonly subject: string;
}

/** An event as every component sees it: built once where data enters, never changed. */
export interface SwarmEventView {
  readonly id: EventId;
  readonly stream: string;
  readonly seq: Sequence;
  readonly subject: string;
  /** By the emitter's clock. */
  readonly atMs: Milliseconds;
  /** The same time with all its digits, RFC 3339 UTC; empty where the event has none. */
  readonly at: string;
  readonly kind: Kind;
  readonly role: Role;
  readonly agentId: string;
  readonly runId: string;
  readonly traceId: TraceId;
  readonly spanId: SpanId;
  readonly workspaceId: string;
  readonly emitterId: string;
  readonly emitterSeq: number;
  readonly causedBy: readonly EventId[];
  readonly attributes: Readonly<Record<string, string>>;
  readonly redactions: Readonly<Record<string, number>>;
  /** One line, at most 240 characters, made safe to show. */
  readonly summary: string;
  readonly isError: boolean;
  /** Name of the resource that a change is about. */
  readonly resource: string | null;
  /** Long texts, lists and bytes are cut where `isWhole` is false. */
  readonly payload: Payload;
  readonly isWhole: boolean;
  /** Why the message is no event; empty for all others. */
  readonly undecodableReason: string;
}
