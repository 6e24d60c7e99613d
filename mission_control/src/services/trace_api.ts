/** One function per endpoint of the API, with the types of what it answers and the query keys. */

import type { ReplayDocument } from "../model/replay_columns.ts";
import { getJson, getText, postJson, type Query } from "./api_client.ts";

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next_cursor: string | null;
}

export interface Session {
  readonly version: string;
  readonly home_name: string;
  readonly jaeger_url: string | null;
  /** Null where the server knows no websocket for browsers. */
  readonly nats: BusAccess | null;
}

/** How the browser reaches the bus: as a user that only reads. */
export interface BusAccess {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly inbox_prefix: string;
  readonly streams: readonly string[];
}

/** The columns of `swarm.events` that are set, its payload's among them. */
export interface EventRow {
  readonly stream: string;
  readonly stream_seq: number;
  readonly event_id: string;
  readonly event_time: string;
  readonly subject: string;
  readonly agent_role: string;
  readonly agent_id: string;
  readonly kind: string;
  readonly [column: string]: JsonColumn;
}
export type JsonColumn =
  | string
  | number
  | boolean
  | null
  | JsonColumn[]
  | { [name: string]: JsonColumn };

export interface EventLink {
  readonly event_id: string;
  readonly stream: string;
  readonly stream_seq: number;
  readonly event_time: string;
  readonly kind: string;
  readonly agent_role: string;
  readonly agent_id: string;
  readonly summary: string;
}

export type EventDetail = EventRow & {
  readonly causes: readonly EventLink[];
  /** The first 200. */
  readonly effects: readonly EventLink[];
  readonly redactions: Readonly<Record<string, number>>;
  readonly is_authenticated: boolean;
  readonly ledger: LedgerEntry | null;
};

/** The batch of the ledger that an event became history in. */
export interface LedgerEntry {
  readonly stream: string;
  readonly prev_seq: number;
  readonly stream_seq: number;
  readonly event_count: number;
  readonly root: string;
  readonly head: string;
  readonly ingested_at: string;
}

export interface EventQuery extends Query {
  readonly run_id?: string;
  readonly agent_id?: string;
  readonly role?: string;
  readonly kind?: string;
  readonly trace_id?: string;
  readonly resource?: string;
  readonly text?: string;
  readonly from?: string;
  readonly to?: string;
  readonly cursor?: string;
  readonly limit?: number;
  readonly order?: "asc" | "desc";
}

export interface Run {
  readonly run_id: string;
  readonly state: string;
  readonly task: string;
  readonly model: string;
  readonly branch: string;
  readonly parent_run_id: string | null;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly last_event_at: string;
  readonly events: number;
  readonly decisions: number;
  readonly changes: number;
  readonly errors: number;
  readonly agents: number;
  readonly cost_microusd: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly harness: string | null;
}

export interface Task {
  readonly task_id: string;
  readonly title: string;
  readonly role: string;
  readonly state: string;
  readonly worker: string;
  readonly attempt: number;
  readonly depends_on: readonly string[];
  readonly reason: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly event_id: string;
  /** The task as it was created. */
  readonly document: Readonly<Record<string, JsonColumn>>;
  /** What came of it; null until it ends. */
  readonly result: Readonly<Record<string, JsonColumn>> | null;
}

export interface ModelUse {
  readonly model: string;
  readonly calls: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_microusd: number;
}

export interface RunDetail extends Run {
  readonly tasks: readonly Task[];
  readonly document: Readonly<Record<string, JsonColumn>>;
  readonly outcome: Readonly<Record<string, JsonColumn>> | null;
  readonly models: readonly ModelUse[];
  /** The workspaces that it changed or created. */
  readonly workspaces: readonly string[];
}

export interface Sample {
  /** Milliseconds since 1970. */
  readonly t: number;
  readonly v: number;
}

export interface Agent {
  readonly agent_id: string;
  readonly role: string;
  readonly run_id: string;
  readonly status: string;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly events: number;
  readonly decisions: number;
  readonly changes: number;
  readonly failures: number;
  readonly cpu: readonly Sample[];
  readonly memory: readonly Sample[];
  readonly last_decision: {
    readonly event_id: string;
    readonly rationale: string;
    readonly at: string;
  } | null;
  readonly current_span: {
    /** Empty while it goes on. */
    readonly name: string;
    readonly trace_id: string;
    readonly span_id: string;
    readonly since: string;
  } | null;
  readonly error: {
    readonly detail: string;
    readonly at: string;
    readonly event_id: string;
  } | null;
}

export interface Span {
  readonly span_id: string;
  readonly parent_span_id: string;
  readonly name: string;
  readonly service: string;
  readonly kind: string;
  /** Nanoseconds since 1970, more digits than a number holds. */
  readonly start_ns: string;
  readonly duration_ns: number;
  readonly status: string;
  readonly status_message: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly events: readonly SpanEvent[];
}

/** A point in time within a span. */
export interface SpanEvent {
  readonly name: string;
  readonly at_ns: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Trace {
  readonly trace_id: string;
  readonly spans: readonly Span[];
  readonly events: readonly EventRow[];
  readonly truncated: boolean;
  /** This trace in Jaeger, where one is configured. */
  readonly jaeger_url: string | null;
}

export interface ResourceNow {
  readonly workspace_id: string;
  readonly type: string;
  readonly name: string;
  readonly digest: string;
  readonly size_bytes: number;
  readonly mode: number;
  /** Null: it is as the workspace started. */
  readonly changed_by: string | null;
  readonly event_id: string | null;
  readonly changes: number;
}

/** What a workspace holds at a moment. */
export interface ResourceList {
  readonly items: readonly ResourceNow[];
  readonly truncated: boolean;
  readonly workspace_id: string;
  readonly event_id: string | null;
}

export interface ResourceChange {
  readonly event_id: string;
  readonly stream: string;
  readonly stream_seq: number;
  readonly at: string;
  readonly agent_id: string;
  readonly role: string;
  readonly run_id: string;
  readonly workspace_id: string;
  /** Digest before; empty: it did not exist. */
  readonly previous: string;
  /** Digest after; empty: it exists no longer. */
  readonly new: string;
  readonly mode: number;
  readonly size_bytes: number;
  readonly renamed_from: string;
  readonly is_break: boolean;
  /** Of the decision that it names as its cause; empty: it names none. */
  readonly rationale: string;
}

/** The changes of a resource, in order. */
export interface ResourceHistory {
  readonly items: readonly ResourceChange[];
  readonly truncated: boolean;
}

/** Why a line of a resource is as it is. */
export interface Why {
  readonly resource: string;
  readonly workspace_id: string;
  readonly line: number | null;
  readonly text: string | null;
  readonly written_by: "change" | "start" | "outside";
  readonly is_certain: boolean;
  readonly change: EventRow | null;
  readonly start: { readonly base_commit: string } | null;
  readonly decision: EventRow | null;
  /** False: the decision is only the last one before the change. */
  readonly is_decision_recorded: boolean | null;
  readonly rejected_alternatives: readonly string[];
  readonly memory_ids: readonly string[];
  readonly causes: readonly (EventRow & { readonly depth: number })[];
}

export interface Density {
  readonly from: string;
  readonly to: string;
  readonly buckets: readonly {
    readonly decisions: number;
    readonly changes: number;
    readonly errors: number;
    readonly events: number;
  }[];
}

export interface Health {
  readonly ready: boolean;
  /** Null here and below: the bus cannot be asked. */
  readonly lag_events: number | null;
  readonly lag_seconds: number | null;
  readonly undecodable: number;
  readonly streams: readonly {
    readonly name: string;
    readonly messages: number | null;
    readonly bytes: number | null;
    readonly last_seq: number | null;
    readonly history_seq: number;
  }[];
  readonly processes: readonly {
    readonly name: string;
    readonly pid: number;
    /** Null: it runs no longer, or not here. */
    readonly rss_bytes: number | null;
  }[];
  readonly disk: { readonly free_bytes: number; readonly total_bytes: number } | null;
}

/** The ledgers of all streams. */
export interface Ledger {
  readonly heads: readonly {
    readonly stream: string;
    readonly stream_seq: number;
    readonly head: string;
  }[];
  /** The newest batches of each stream, newest first. */
  readonly links: readonly LedgerEntry[];
  readonly is_linked: boolean;
  readonly broken: readonly LedgerEntry[];
  readonly batches: number;
}

export interface SqlResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly JsonColumn[])[];
  readonly elapsed_ms: number;
  readonly truncated: boolean;
}

const encoded = encodeURIComponent;

export const traceApi = {
  session: (signal?: AbortSignal) => getJson<Session>("/session", {}, signal),
  runs: (query: Query = {}, signal?: AbortSignal) => getJson<Page<Run>>("/runs", query, signal),
  run: (runId: string, signal?: AbortSignal) =>
    getJson<RunDetail>(`/runs/${encoded(runId)}`, {}, signal),
  replay: (runId: string, query: Query = {}, signal?: AbortSignal) =>
    getJson<ReplayDocument>(`/runs/${encoded(runId)}/replay`, query, signal),
  density: (runId: string, query: Query = {}, signal?: AbortSignal) =>
    getJson<Density>(`/runs/${encoded(runId)}/density`, query, signal),
  agents: (query: Query = {}, signal?: AbortSignal) =>
    getJson<{ readonly items: readonly Agent[] }>("/agents", query, signal),
  events: (query: EventQuery, signal?: AbortSignal) =>
    getJson<Page<EventRow>>("/events", query, signal),
  /** The newest events of a run before some places, each written `STREAM:SEQUENCE`. */
  eventsBefore: (runId: string, places: readonly string[], limit: number, signal?: AbortSignal) =>
    getJson<Page<EventRow>>("/events", { run_id: runId, before: places, limit }, signal),
  event: (id: string, signal?: AbortSignal) =>
    getJson<EventDetail>(`/events/${encoded(id)}`, {}, signal),
  trace: (id: string, signal?: AbortSignal) => getJson<Trace>(`/traces/${encoded(id)}`, {}, signal),
  resources: (query: Query, signal?: AbortSignal) =>
    getJson<ResourceList>("/resources", query, signal),
  resourceHistory: (query: Query, signal?: AbortSignal) =>
    getJson<ResourceHistory>("/resources/history", query, signal),
  content: (sha256: string, query: Query = {}, signal?: AbortSignal) =>
    getText(`/content/${encoded(sha256)}`, query, signal),
  state: (query: Query, signal?: AbortSignal) => getJson<JsonColumn>("/state", query, signal),
  diff: (query: Query, signal?: AbortSignal) => getJson<JsonColumn>("/diff", query, signal),
  why: (query: Query, signal?: AbortSignal) => getJson<Why>("/why", query, signal),
  ledger: (signal?: AbortSignal) => getJson<Ledger>("/ledger", {}, signal),
  health: (signal?: AbortSignal) => getJson<Health>("/health", {}, signal),
  sql: (query: string, maxRows: number, signal?: AbortSignal) =>
    postJson<SqlResult>("/sql", { query, max_rows: maxRows }, signal),
};

/** Keys of the query cache: an endpoint's name, then what it was asked for. */
export const queryKey = (endpoint: keyof typeof traceApi, ...asked: readonly unknown[]) =>
  [endpoint, ...asked] as const;
