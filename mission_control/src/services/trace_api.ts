/** One function per endpoint of the API, with the types of what it answers and the query keys. */

import type {
  Agent,
  BusAccess,
  Density,
  EventLink,
  Health,
  Json,
  Ledger,
  LedgerEntry,
  ResourceChange,
  ResourceHistory,
  ResourceList,
  Run,
  RunDetail,
  Session,
  Span,
  SqlResult,
  Task,
} from "../gen/api.ts";
import type { ReplayDocument } from "../model/replay_columns.ts";
import { getJson, getText, postJson, type Query } from "./api_client.ts";

export type {
  Agent,
  BusAccess,
  Density,
  EventLink,
  Health,
  Ledger,
  LedgerEntry,
  ResourceChange,
  ResourceHistory,
  ResourceList,
  Run,
  RunDetail,
  Session,
  Span,
  SqlResult,
  Task,
};

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next_cursor: string | null;
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
export type JsonColumn = Json;

export type EventDetail = EventRow & {
  readonly causes: readonly EventLink[];
  /** The first 200. */
  readonly effects: readonly EventLink[];
  readonly redactions: Readonly<Record<string, number>>;
  readonly is_authenticated: boolean;
  readonly ledger: LedgerEntry | null;
};

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
