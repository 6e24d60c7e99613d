// Generated from docs/reference/openapi.json by `make docs`; never edited.

/** Any JSON: what no schema fixes. */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/** How an agent is doing. */
export interface Agent {
  readonly agent_id: string;
  readonly role: string;
  /** Of its newest event. */
  readonly run_id: string;
  /** Of its newest signal; empty: it sent none. */
  readonly status: string;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly events: number;
  readonly decisions: number;
  readonly changes: number;
  readonly failures: number;
  /** Percent of one core, of the last 60 signals. */
  readonly cpu: readonly (Sample)[];
  /** Resident MiB, of the last 60 signals. */
  readonly memory: readonly (Sample)[];
  readonly last_decision: AgentDecision | null;
  readonly current_span: AgentSpan | null;
  readonly error: AgentError | null;
}

/** What an agent decided last. */
export interface AgentDecision {
  readonly event_id: string;
  /** At most 500 characters of it. */
  readonly rationale: string;
  readonly at: string;
}

/** What an agent failed with, unless it was well again since. */
export interface AgentError {
  readonly detail: string;
  readonly at: string;
  readonly event_id: string;
}

/** Agents, those heard of last first. */
export interface AgentList {
  readonly items: readonly (Agent)[];
}

/** The span of an agent's newest event that was in one. */
export interface AgentSpan {
  /** Empty while it goes on: spans arrive when they end. */
  readonly name: string;
  readonly trace_id: string;
  readonly span_id: string;
  /** Time of the first event in it. */
  readonly since: string;
}

/** What happened in one part of a stretch of time. */
export interface Bucket {
  readonly decisions: number;
  readonly changes: number;
  readonly errors: number;
  readonly events: number;
}

/** How the browser reaches the bus: a user that can only read. */
export interface BusAccess {
  /** Websocket URL. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** The only inboxes that this user may subscribe. */
  readonly inbox_prefix: string;
  readonly streams: readonly (string)[];
}

/** A change that does not start from what was recorded before. */
export interface ChainBreak {
  readonly kind: "chain_break";
  readonly target_type: string;
  readonly resource: string;
  readonly workspace_id: string;
  readonly expected_digest: string;
  readonly found_digest: string;
  readonly event_id: string;
  readonly stream_seq: number;
}

/** How much happened when: parts of equal length. */
export interface Density {
  readonly from: string;
  readonly to: string;
  readonly buckets: readonly (Bucket)[];
}

/** A resource on one side of a comparison. */
export interface DiffSide {
  readonly digest: string;
  readonly mode: number;
  readonly size_bytes: number;
}

/** What differs in one resource, as `swarm diff --json` shows it. */
export interface Difference {
  readonly target_type: string;
  readonly resource: string;
  readonly change: "added" | "deleted" | "modified" | "mode";
  readonly before: DiffSide | null;
  readonly after: DiffSide | null;
  /** Unified diff; None where it is binary, larger than 4 MiB or not kept. */
  readonly patch: string | null;
}

/** The disk that the home lies on. */
export interface DiskHealth {
  readonly free_bytes: number;
  readonly total_bytes: number;
}

/** An event with what led to it and what followed. */
export interface EventDetail {
  readonly stream: string;
  readonly stream_seq: number;
  readonly event_id: string;
  readonly event_time: string;
  readonly subject: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly agent_role: string;
  readonly agent_id: string;
  readonly kind: string;
  readonly run_id: string;
  readonly workspace_id: string;
  readonly emitter_id: string;
  readonly emitter_seq: number;
  readonly caused_by: readonly (string)[];
  readonly attributes: Readonly<Record<string, string>>;
  readonly causes: readonly (EventLink)[];
  /** The first 200. */
  readonly effects: readonly (EventLink)[];
  /** How many secrets of which kind were taken out of its text. */
  readonly redactions: Readonly<Record<string, number>>;
  readonly is_authenticated: boolean;
  readonly ledger: LedgerEntry | null;
  readonly context_hash?: string;
  readonly input_trigger?: string;
  readonly rationale?: string;
  readonly rejected_alternatives?: readonly (string)[];
  readonly memory_ids?: readonly (string)[];
  readonly confidence_score?: number;
  readonly target_type?: string;
  readonly target_resource?: string;
  readonly previous_state_hash?: string;
  readonly new_state_hash?: string;
  readonly diff_patch?: string;
  readonly is_reversible?: boolean;
  readonly mode?: number;
  readonly size_bytes?: number;
  readonly renamed_from?: string;
  readonly resource_bytes?: string;
  readonly status?: string;
  readonly cpu_load_percent?: number;
  readonly memory_usage_mb?: number;
  readonly final_count?: number;
  readonly detail?: string;
  readonly tombstone_reason?: string;
  readonly refused_kind?: string;
  readonly refused_size_bytes?: number;
  readonly refused_digest?: string;
  readonly created_workspace_id?: string;
  readonly parent_workspace_id?: string;
  readonly parent_event_id?: string;
  readonly base_commit?: string;
  readonly manifest_digest?: string;
  readonly tool_name?: string;
  readonly tool_call_id?: string;
  readonly tool_arguments?: string;
  readonly tool_result?: string;
  readonly tool_outcome?: string;
  readonly tool_duration_us?: number;
  readonly task_id?: string;
  readonly task_state?: string;
  readonly task_trigger?: string;
  readonly task_worker?: string;
  readonly task_attempt?: number;
  readonly task_fence?: number;
  readonly task_document?: string;
  readonly task_reason?: string;
  readonly run_state?: string;
  readonly run_document?: string;
  readonly run_reason?: string;
  readonly model_name?: string;
  readonly input_tokens?: number;
  readonly output_tokens?: number;
  readonly cost_microusd?: number;
  readonly model_duration_us?: number;
  readonly model_outcome?: string;
  readonly step_id?: string;
  readonly step_state?: string;
  readonly step_trigger?: string;
  readonly step_holder?: string;
  readonly step_fence?: number;
  readonly step_expires_at_ms?: number;
  readonly step_document?: string;
  readonly message_recipient?: string;
  readonly message_text?: string;
  readonly message_step?: string;
  readonly read_through?: number;
  readonly read_ids?: readonly (string)[];
  readonly removed_through?: number;
  readonly memory_key?: string;
  readonly memory_value?: string;
  readonly memory_format?: string;
  readonly artifact_name?: string;
  readonly artifact_digest?: string;
  readonly artifact_size_bytes?: number;
  readonly artifact_version?: number;
  readonly artifact_step?: string;
  readonly line_source?: string;
  readonly line_number?: number;
  readonly line_offset?: number;
  readonly line_bytes?: string;
  readonly line_digest?: string;
  readonly line_type?: string;
  readonly mark_type?: string;
  readonly mark_text?: string;
  readonly mark_document?: string;
  readonly undecodable_reason?: string;
}

/** An event that led to another, or followed from it. */
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

/** Events in the order asked for. */
export interface EventPage {
  readonly items: readonly (ListedEvent)[];
  /** Where the next page starts; None: this is the last. */
  readonly next_cursor: string | null;
}

/** An event as `swarm events --json` shows it, with the columns of its own payload. */
export interface EventRow {
  readonly stream: string;
  readonly stream_seq: number;
  readonly event_id: string;
  readonly event_time: string;
  readonly subject: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly agent_role: string;
  readonly agent_id: string;
  readonly kind: string;
  readonly run_id: string;
  readonly workspace_id: string;
  readonly emitter_id: string;
  readonly emitter_seq: number;
  readonly caused_by: readonly (string)[];
  readonly attributes: Readonly<Record<string, string>>;
  readonly context_hash?: string;
  readonly input_trigger?: string;
  readonly rationale?: string;
  readonly rejected_alternatives?: readonly (string)[];
  readonly memory_ids?: readonly (string)[];
  readonly confidence_score?: number;
  readonly target_type?: string;
  readonly target_resource?: string;
  readonly previous_state_hash?: string;
  readonly new_state_hash?: string;
  readonly diff_patch?: string;
  readonly is_reversible?: boolean;
  readonly mode?: number;
  readonly size_bytes?: number;
  readonly renamed_from?: string;
  readonly resource_bytes?: string;
  readonly status?: string;
  readonly cpu_load_percent?: number;
  readonly memory_usage_mb?: number;
  readonly final_count?: number;
  readonly detail?: string;
  readonly tombstone_reason?: string;
  readonly refused_kind?: string;
  readonly refused_size_bytes?: number;
  readonly refused_digest?: string;
  readonly created_workspace_id?: string;
  readonly parent_workspace_id?: string;
  readonly parent_event_id?: string;
  readonly base_commit?: string;
  readonly manifest_digest?: string;
  readonly tool_name?: string;
  readonly tool_call_id?: string;
  readonly tool_arguments?: string;
  readonly tool_result?: string;
  readonly tool_outcome?: string;
  readonly tool_duration_us?: number;
  readonly task_id?: string;
  readonly task_state?: string;
  readonly task_trigger?: string;
  readonly task_worker?: string;
  readonly task_attempt?: number;
  readonly task_fence?: number;
  readonly task_document?: string;
  readonly task_reason?: string;
  readonly run_state?: string;
  readonly run_document?: string;
  readonly run_reason?: string;
  readonly model_name?: string;
  readonly input_tokens?: number;
  readonly output_tokens?: number;
  readonly cost_microusd?: number;
  readonly model_duration_us?: number;
  readonly model_outcome?: string;
  readonly step_id?: string;
  readonly step_state?: string;
  readonly step_trigger?: string;
  readonly step_holder?: string;
  readonly step_fence?: number;
  readonly step_expires_at_ms?: number;
  readonly step_document?: string;
  readonly message_recipient?: string;
  readonly message_text?: string;
  readonly message_step?: string;
  readonly read_through?: number;
  readonly read_ids?: readonly (string)[];
  readonly removed_through?: number;
  readonly memory_key?: string;
  readonly memory_value?: string;
  readonly memory_format?: string;
  readonly artifact_name?: string;
  readonly artifact_digest?: string;
  readonly artifact_size_bytes?: number;
  readonly artifact_version?: number;
  readonly artifact_step?: string;
  readonly line_source?: string;
  readonly line_number?: number;
  readonly line_offset?: number;
  readonly line_bytes?: string;
  readonly line_digest?: string;
  readonly line_type?: string;
  readonly mark_type?: string;
  readonly mark_text?: string;
  readonly mark_document?: string;
  readonly undecodable_reason?: string;
}

/** What went wrong. */
export interface Failure {
  /** A word that programs can tell failures by, such as `not_found`; of SQL also ClickHouse's own number, as `clickhouse_62`. */
  readonly code: string;
  /** What happened, in a sentence. */
  readonly message: string;
  /** What to do about it; empty where that is plain. */
  readonly fix: string;
}

/** Every answer with a status of 400 and above. */
export interface FailureAnswer {
  readonly error: Failure;
}

/** Where the ledger of a stream stands. */
export interface Head {
  readonly stream: string;
  readonly stream_seq: number;
  /** `stream@sequence:hex`, as `swarm verify --expect` takes it. */
  readonly head: string;
}

/** How the recorder is doing. */
export interface Health {
  /** History answers and the bus answers. */
  readonly ready: boolean;
  /** Messages that are in a stream and not in history yet; None: the bus cannot be asked. */
  readonly lag_events: number | null;
  /** For how long history has been behind; 0 when it is not. */
  readonly lag_seconds: number | null;
  readonly streams: readonly (StreamHealth)[];
  /** Messages that are no events (`swarm quarantine ls`). */
  readonly undecodable: number;
  readonly processes: readonly (ProcessHealth)[];
  /** None where there is no home. */
  readonly disk: DiskHealth | null;
}

/** The ledgers of all streams. */
export interface Ledger {
  readonly heads: readonly (Head)[];
  /** The newest batches of each stream, newest first. */
  readonly links: readonly (LedgerEntry)[];
  /** Every batch starts from the root of the one before. `swarm verify` proves much more. */
  readonly is_linked: boolean;
  /** Batches that do not start from the root before; the first 20. */
  readonly broken: readonly (LedgerEntry)[];
  readonly batches: number;
}

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

/** An event in a list, which may leave out the rest of very long texts. */
export interface ListedEvent {
  readonly stream: string;
  readonly stream_seq: number;
  readonly event_id: string;
  readonly event_time: string;
  readonly subject: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly agent_role: string;
  readonly agent_id: string;
  readonly kind: string;
  readonly run_id: string;
  readonly workspace_id: string;
  readonly emitter_id: string;
  readonly emitter_seq: number;
  readonly caused_by: readonly (string)[];
  readonly attributes: Readonly<Record<string, string>>;
  /** Columns of which these are the first 20,000 characters; `/events/{event_id}` has all. */
  readonly cut: readonly (string)[];
  readonly context_hash?: string;
  readonly input_trigger?: string;
  readonly rationale?: string;
  readonly rejected_alternatives?: readonly (string)[];
  readonly memory_ids?: readonly (string)[];
  readonly confidence_score?: number;
  readonly target_type?: string;
  readonly target_resource?: string;
  readonly previous_state_hash?: string;
  readonly new_state_hash?: string;
  readonly diff_patch?: string;
  readonly is_reversible?: boolean;
  readonly mode?: number;
  readonly size_bytes?: number;
  readonly renamed_from?: string;
  readonly resource_bytes?: string;
  readonly status?: string;
  readonly cpu_load_percent?: number;
  readonly memory_usage_mb?: number;
  readonly final_count?: number;
  readonly detail?: string;
  readonly tombstone_reason?: string;
  readonly refused_kind?: string;
  readonly refused_size_bytes?: number;
  readonly refused_digest?: string;
  readonly created_workspace_id?: string;
  readonly parent_workspace_id?: string;
  readonly parent_event_id?: string;
  readonly base_commit?: string;
  readonly manifest_digest?: string;
  readonly tool_name?: string;
  readonly tool_call_id?: string;
  readonly tool_arguments?: string;
  readonly tool_result?: string;
  readonly tool_outcome?: string;
  readonly tool_duration_us?: number;
  readonly task_id?: string;
  readonly task_state?: string;
  readonly task_trigger?: string;
  readonly task_worker?: string;
  readonly task_attempt?: number;
  readonly task_fence?: number;
  readonly task_document?: string;
  readonly task_reason?: string;
  readonly run_state?: string;
  readonly run_document?: string;
  readonly run_reason?: string;
  readonly model_name?: string;
  readonly input_tokens?: number;
  readonly output_tokens?: number;
  readonly cost_microusd?: number;
  readonly model_duration_us?: number;
  readonly model_outcome?: string;
  readonly step_id?: string;
  readonly step_state?: string;
  readonly step_trigger?: string;
  readonly step_holder?: string;
  readonly step_fence?: number;
  readonly step_expires_at_ms?: number;
  readonly step_document?: string;
  readonly message_recipient?: string;
  readonly message_text?: string;
  readonly message_step?: string;
  readonly read_through?: number;
  readonly read_ids?: readonly (string)[];
  readonly removed_through?: number;
  readonly memory_key?: string;
  readonly memory_value?: string;
  readonly memory_format?: string;
  readonly artifact_name?: string;
  readonly artifact_digest?: string;
  readonly artifact_size_bytes?: number;
  readonly artifact_version?: number;
  readonly artifact_step?: string;
  readonly line_source?: string;
  readonly line_number?: number;
  readonly line_offset?: number;
  readonly line_bytes?: string;
  readonly line_digest?: string;
  readonly line_type?: string;
  readonly mark_type?: string;
  readonly mark_text?: string;
  readonly mark_document?: string;
  readonly undecodable_reason?: string;
}

/** What one model was used for in a run. */
export interface ModelUse {
  readonly model: string;
  readonly calls: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_microusd: number;
}

/** A place of a stream. */
export interface Place {
  readonly stream: string;
  readonly seq: number;
}

/** A process of the embedded stack. */
export interface ProcessHealth {
  readonly name: string;
  readonly pid: number;
  /** None: it runs no longer, or not here. */
  readonly rss_bytes: number | null;
}

/** A run's history by columns, in the order of its streams, merged by time. */
export interface Replay {
  readonly run_id: string;
  readonly rows: number;
  /** Streams that rows name by their index. */
  readonly streams: readonly (string)[];
  readonly agents: readonly (ReplayAgent)[];
  readonly kinds: readonly (string)[];
  readonly statuses: readonly (string)[];
  readonly tasks: readonly (string)[];
  readonly resources: readonly (ReplayResource)[];
  readonly hashes: readonly (string)[];
  readonly traces: readonly (string)[];
  readonly columns: ReplayColumns;
  /** The last place of each stream; the next increment is asked for with `after=`. */
  readonly end: readonly (Place)[];
}

/** An agent that rows name by its index. */
export interface ReplayAgent {
  readonly id: string;
  readonly role: string;
}

/** One array per column, all of the same length; a row is one event. */
export interface ReplayColumns {
  /** Sequence in its stream. */
  readonly seq: readonly (number)[];
  /** Index into `streams`. */
  readonly stream: readonly (number)[];
  /** Milliseconds since 1970 by the emitters' clocks; never less than in the row before. */
  readonly time_ms: readonly (number)[];
  /** Index into `kinds`. */
  readonly kind: readonly (number)[];
  /** Index into `agents`. */
  readonly agent: readonly (number)[];
  /** 1: a failure; 0: not. */
  readonly flag: readonly (number)[];
  /** Index into `statuses`: of a signal its status, of a task or run its new state, of a call of a tool or model its outcome. */
  readonly status: readonly (number)[];
  /** Index into `tasks`; -1: none. */
  readonly task: readonly (number)[];
  /** Index into `resources`; -1: it changes none. */
  readonly resource: readonly (number)[];
  /** Index into `hashes` of the content after the change; that of the empty text: it exists no longer, or this is no change. */
  readonly hash: readonly (number)[];
  /** Bytes of the content after the change. */
  readonly size: readonly (number)[];
  /** Permission bits after the change; 0: not known. */
  readonly mode: readonly (number)[];
  /** Row of the first event that led to this one; -1: none of these rows. */
  readonly cause: readonly (number)[];
  /** Index into `traces`. */
  readonly trace: readonly (number)[];
}

/** A resource that rows name by its index. */
export interface ReplayResource {
  readonly workspace_id: string;
  readonly type: string;
  readonly name: string;
}

/** A resource as it is at a moment. */
export interface Resource {
  readonly workspace_id: string;
  readonly type: string;
  readonly name: string;
  /** Hex SHA-256 of its content. */
  readonly digest: string;
  readonly size_bytes: number;
  readonly mode: number;
  /** Agent of its newest change; None: it is as the workspace started. */
  readonly changed_by: string | null;
  /** The event of its newest change. */
  readonly event_id: string | null;
  /** How many changes of it were recorded up to there. */
  readonly changes: number;
}

/** A change of a resource. */
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
  readonly diff_patch: string;
  /** It does not start from what was recorded before: something outside the swarm changed it. */
  readonly is_break: boolean;
  /** Of the decision that it names as its cause; empty: it names none. */
  readonly rationale: string;
}

/** One resource with its content. */
export interface ResourceContent {
  readonly target_type: string;
  readonly resource: string;
  /** The name where it is not UTF-8, as base64. */
  readonly resource_bytes?: string | null;
  readonly digest: string;
  readonly mode: number;
  readonly size_bytes: number;
  readonly is_restorable: boolean;
  readonly event_id: string | null;
  readonly stream_seq: number | null;
  readonly workspace_id: string;
  /** Text, or base64 where it is not UTF-8. */
  readonly content: string;
}

/** The changes of a resource, in order. */
export interface ResourceHistory {
  readonly items: readonly (ResourceChange)[];
  /** There are older ones than are listed. */
  readonly truncated: boolean;
}

/** What a workspace holds at a moment, by name. */
export interface ResourceList {
  readonly items: readonly (Resource)[];
  /** There are more than are listed. */
  readonly truncated: boolean;
  readonly workspace_id: string;
  /** The moment's event. */
  readonly event_id: string | null;
}

/** A resource as `swarm show --json` shows it. */
export interface ResourceState {
  readonly target_type: string;
  readonly resource: string;
  /** The name where it is not UTF-8, as base64. */
  readonly resource_bytes?: string | null;
  readonly digest: string;
  readonly mode: number;
  readonly size_bytes: number;
  readonly is_restorable: boolean;
  readonly event_id: string | null;
  readonly stream_seq: number | null;
  readonly workspace_id: string;
}

/** One run of the swarm, or one session of a foreign agent. */
export interface Run {
  readonly run_id: string;
  /** PLANNING, RUNNING, PAUSED, CANCELLING, SUCCEEDED, FAILED, CANCELLED; empty for a run that no orchestrator leads. */
  readonly state: string;
  /** What it is about, in a sentence; empty where nobody said. */
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
  /** Signals of critical failures and failed calls of tools and models. */
  readonly errors: number;
  readonly agents: number;
  /** Known price of its calls of models, in millionths of a US dollar. */
  readonly cost_microusd: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** The coding agent whose session this is, such as `claude-code`. */
  readonly harness: string | null;
}

/** A run with its plan, outcome and costs. */
export interface RunDetail {
  readonly run_id: string;
  /** PLANNING, RUNNING, PAUSED, CANCELLING, SUCCEEDED, FAILED, CANCELLED; empty for a run that no orchestrator leads. */
  readonly state: string;
  /** What it is about, in a sentence; empty where nobody said. */
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
  /** Signals of critical failures and failed calls of tools and models. */
  readonly errors: number;
  readonly agents: number;
  /** Known price of its calls of models, in millionths of a US dollar. */
  readonly cost_microusd: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** The coding agent whose session this is, such as `claude-code`. */
  readonly harness: string | null;
  readonly tasks: readonly (Task)[];
  /** What the run is about, as it was created; empty where nobody said. */
  readonly document: Readonly<Record<string, Json>>;
  /** What came of it; None until it ends. */
  readonly outcome: Readonly<Record<string, Json>> | null;
  readonly models: readonly (ModelUse)[];
  /** The workspaces that it changed or created, that of its own name first. */
  readonly workspaces: readonly (RunWorkspace)[];
}

/** Runs, the newest first. */
export interface RunPage {
  readonly items: readonly (Run)[];
  /** Where the next page starts; None: this is the last. */
  readonly next_cursor: string | null;
}

/** A workspace that a run changed or created. */
export interface RunWorkspace {
  readonly workspace_id: string;
  /** Who created it, or changed it first; empty for what nobody named. */
  readonly agent_id: string;
  /** The task that it was made for; empty for none, and for the workspace of the run itself. */
  readonly task_id: string;
  readonly changes: number;
}

/** A value at a time. */
export interface Sample {
  /** Milliseconds since 1970. */
  readonly t: number;
  readonly v: number;
}

/** What the dashboard has to know before anything else. */
export interface Session {
  readonly version: string;
  /** Name of the directory that the swarm works in; empty where there is no home. */
  readonly home_name: string;
  /** None where this server knows no websocket for browsers. */
  readonly nats: BusAccess | null;
  readonly jaeger_url: string | null;
  readonly ledger_heads: readonly (Head)[];
}

/** An OpenTelemetry span. */
export interface Span {
  readonly span_id: string;
  /** Empty: the root of its trace. */
  readonly parent_span_id: string;
  readonly name: string;
  readonly service: string;
  /** Unspecified, Internal, Server, Client, Producer, Consumer. */
  readonly kind: string;
  /** Nanoseconds since 1970, as text: too large for a double. */
  readonly start_ns: string;
  readonly duration_ns: number;
  /** Unset, Ok, Error. */
  readonly status: string;
  readonly status_message: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly events: readonly (SpanEvent)[];
}

/** A point in time within a span. */
export interface SpanEvent {
  readonly name: string;
  /** Nanoseconds since 1970, as text: too large for a double. */
  readonly at_ns: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** A column of a result. */
export interface SqlColumn {
  readonly name: string;
  /** ClickHouse's type. */
  readonly type: string;
}

/** A query of a reader. */
export interface SqlQuestion {
  readonly query: string;
  readonly max_rows?: number;
}

/** The rows of a query. */
export interface SqlResult {
  readonly columns: readonly (SqlColumn)[];
  readonly rows: readonly (readonly (Json)[])[];
  readonly elapsed_ms: number;
  /** There are more rows than were asked for, or than come to 16 MiB. */
  readonly truncated: boolean;
}

/** Everything that a workspace held at a moment, as `swarm show --json` shows it. */
export interface State {
  readonly event_id: string;
  readonly stream: string;
  readonly stream_seq: number;
  readonly workspace_id: string;
  readonly resources: readonly (ResourceState)[];
  readonly breaks: readonly (ChainBreak)[];
}

/** A stream of the bus, and how far history has got in it. */
export interface StreamHealth {
  readonly name: string;
  /** None here and below: the bus cannot be asked. */
  readonly messages: number | null;
  readonly bytes: number | null;
  readonly last_seq: number | null;
  readonly history_seq: number;
}

/** A task of a run in its newest state. */
export interface Task {
  readonly task_id: string;
  readonly title: string;
  readonly role: string;
  /** PENDING, READY, RUNNING, REVIEW, DONE, REFUSED, FAILED, DEAD, CANCELLED. */
  readonly state: string;
  readonly worker: string;
  readonly attempt: number;
  readonly depends_on: readonly (string)[];
  readonly reason: string;
  /** When it was claimed first. */
  readonly started_at: string | null;
  readonly ended_at: string | null;
  /** The event of its newest transition. */
  readonly event_id: string;
  /** The task as it was created. */
  readonly document: Readonly<Record<string, Json>>;
  /** What came of it; None until it ends. */
  readonly result: Readonly<Record<string, Json>> | null;
  /** What its worker left undone of it when it handed in its work last, and why. */
  readonly unresolved: readonly (string)[];
}

/** One trace: its spans and the events that happened in them, both in the order of time. */
export interface Trace {
  readonly trace_id: string;
  readonly spans: readonly (Span)[];
  readonly events: readonly (ListedEvent)[];
  /** There are more spans or events than are listed. */
  readonly truncated: boolean;
  /** This trace in Jaeger, where one is configured. */
  readonly jaeger_url: string | null;
}

/** The reason for a line of a resource, as `swarm why --json` prints it. */
export interface Why {
  readonly target_type: string;
  readonly resource: string;
  readonly workspace_id: string;
  readonly line: number | null;
  readonly text: string | null;
  /** `change`, `start` or `outside`. */
  readonly written_by: string;
  readonly is_certain: boolean;
  readonly change: EventRow | null;
  readonly seen_by_event: string | null;
  readonly start: WorkspaceStart | null;
  readonly decision: EventRow | null;
  /** False: the decision is only the last one before the change. */
  readonly is_decision_recorded: boolean | null;
  readonly rejected_alternatives: readonly (string)[];
  readonly memory_ids: readonly (string)[];
  readonly causes: readonly (WhyCause)[];
}

/** An event that led to a change; depth 0 is the nearest. */
export interface WhyCause {
  readonly stream: string;
  readonly stream_seq: number;
  readonly event_id: string;
  readonly event_time: string;
  readonly subject: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly agent_role: string;
  readonly agent_id: string;
  readonly kind: string;
  readonly run_id: string;
  readonly workspace_id: string;
  readonly emitter_id: string;
  readonly emitter_seq: number;
  readonly caused_by: readonly (string)[];
  readonly attributes: Readonly<Record<string, string>>;
  readonly depth: number;
  readonly context_hash?: string;
  readonly input_trigger?: string;
  readonly rationale?: string;
  readonly rejected_alternatives?: readonly (string)[];
  readonly memory_ids?: readonly (string)[];
  readonly confidence_score?: number;
  readonly target_type?: string;
  readonly target_resource?: string;
  readonly previous_state_hash?: string;
  readonly new_state_hash?: string;
  readonly diff_patch?: string;
  readonly is_reversible?: boolean;
  readonly mode?: number;
  readonly size_bytes?: number;
  readonly renamed_from?: string;
  readonly resource_bytes?: string;
  readonly status?: string;
  readonly cpu_load_percent?: number;
  readonly memory_usage_mb?: number;
  readonly final_count?: number;
  readonly detail?: string;
  readonly tombstone_reason?: string;
  readonly refused_kind?: string;
  readonly refused_size_bytes?: number;
  readonly refused_digest?: string;
  readonly created_workspace_id?: string;
  readonly parent_workspace_id?: string;
  readonly parent_event_id?: string;
  readonly base_commit?: string;
  readonly manifest_digest?: string;
  readonly tool_name?: string;
  readonly tool_call_id?: string;
  readonly tool_arguments?: string;
  readonly tool_result?: string;
  readonly tool_outcome?: string;
  readonly tool_duration_us?: number;
  readonly task_id?: string;
  readonly task_state?: string;
  readonly task_trigger?: string;
  readonly task_worker?: string;
  readonly task_attempt?: number;
  readonly task_fence?: number;
  readonly task_document?: string;
  readonly task_reason?: string;
  readonly run_state?: string;
  readonly run_document?: string;
  readonly run_reason?: string;
  readonly model_name?: string;
  readonly input_tokens?: number;
  readonly output_tokens?: number;
  readonly cost_microusd?: number;
  readonly model_duration_us?: number;
  readonly model_outcome?: string;
  readonly step_id?: string;
  readonly step_state?: string;
  readonly step_trigger?: string;
  readonly step_holder?: string;
  readonly step_fence?: number;
  readonly step_expires_at_ms?: number;
  readonly step_document?: string;
  readonly message_recipient?: string;
  readonly message_text?: string;
  readonly message_step?: string;
  readonly read_through?: number;
  readonly read_ids?: readonly (string)[];
  readonly removed_through?: number;
  readonly memory_key?: string;
  readonly memory_value?: string;
  readonly memory_format?: string;
  readonly artifact_name?: string;
  readonly artifact_digest?: string;
  readonly artifact_size_bytes?: number;
  readonly artifact_version?: number;
  readonly artifact_step?: string;
  readonly line_source?: string;
  readonly line_number?: number;
  readonly line_offset?: number;
  readonly line_bytes?: string;
  readonly line_digest?: string;
  readonly line_type?: string;
  readonly mark_type?: string;
  readonly mark_text?: string;
  readonly mark_document?: string;
  readonly undecodable_reason?: string;
}

/** What a workspace started from. */
export interface WorkspaceStart {
  readonly workspace_id: string;
  readonly base_commit: string;
  readonly manifest_digest: string;
}
