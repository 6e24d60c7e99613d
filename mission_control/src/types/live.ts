import type { SwarmEventView } from "./swarm_event.ts";
import type { EventId, Milliseconds, SpanId, TraceId } from "./units.ts";

/** How fresh what is shown is. */
export interface Connection {
  readonly phase: "connecting" | "live" | "behind" | "lost";
  /** Messages that are stored, but not here yet. */
  readonly pending: number;
  /** Messages that were stored while there was no connection, too many to be caught up with. */
  readonly skipped: number;
  /** Why the connection was lost; empty otherwise. */
  readonly reason: string;
  /** When the phase began, by this machine's clock. */
  readonly since: Milliseconds;
}

/** What is known of an agent at one moment. */
export interface AgentNow {
  readonly agentId: string;
  readonly role: string;
  readonly runId: string;
  /** Of its last signal; empty before the first. */
  readonly status: string;
  readonly firstSeenMs: Milliseconds;
  readonly lastSeenMs: Milliseconds;
  readonly events: number;
  readonly decisions: number;
  readonly changes: number;
  readonly failures: number;
  /** Percent of one core, oldest first. */
  readonly cpu: readonly number[];
  /** MiB, oldest first. */
  readonly memory: readonly number[];
  /** The span of its last event that was in one; spans have a name when they end. */
  readonly span: {
    readonly traceId: TraceId;
    readonly spanId: SpanId;
    readonly name: string;
  } | null;
  /** The last thing that it did, decisions and signals apart. */
  readonly last: Noted | null;
  readonly decision: Noted | null;
  /** The failure that it has not gone on from. */
  readonly error: Noted | null;
}

/** What an event said, and when. */
export interface Noted {
  readonly id: EventId;
  readonly kind: string;
  readonly text: string;
  readonly atMs: Milliseconds;
}

/** All that is known of the swarm at one moment; never changed, a new one follows each flush. */
export interface LiveSnapshot {
  /** In the order of the bus, oldest first; bounded. */
  readonly events: readonly SwarmEventView[];
  /** How many events were here before the first of `events`: position in `events` plus this stays the same. */
  readonly dropped: number;
  /** Grows when `events` is more than the one before with some more at its end. */
  readonly generation: number;
  readonly agents: ReadonlyMap<string, AgentNow>;
  /** Events per second of the last minute, oldest first. */
  readonly rate: readonly number[];
}
