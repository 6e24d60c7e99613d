-- Payloads about the work itself: calls of tools and of models, tasks and runs that get another state.
--
-- First the tables learn the columns, then the view fills them: whoever appends meanwhile, by this version's schema text
-- or by the one before, finds a view that fits the tables. Rows that are there read empty in the new columns, which is
-- what their bytes decode to. Only long text is worth more than the usual compression: most rows leave all of this empty,
-- and then it is the number of columns and what packing each takes that an insert pays for.

alter table swarm.events${on_cluster}
    add column if not exists tool_name LowCardinality(String) after manifest_digest,
    add column if not exists tool_call_id String after tool_name,
    add column if not exists tool_arguments String codec(ZSTD(3)) after tool_call_id,
    add column if not exists tool_result String codec(ZSTD(3)) after tool_arguments,
    add column if not exists tool_outcome LowCardinality(String) after tool_result,
    add column if not exists tool_duration_us UInt64 after tool_outcome,

    add column if not exists task_id String after tool_duration_us,
    add column if not exists task_state LowCardinality(String) after task_id,
    add column if not exists task_trigger LowCardinality(String) after task_state,
    add column if not exists task_worker String after task_trigger,
    add column if not exists task_attempt UInt32 after task_worker,
    add column if not exists task_fence UInt64 after task_attempt,
    add column if not exists task_document String codec(ZSTD(3)) after task_fence,
    add column if not exists task_reason String codec(ZSTD(3)) after task_document,

    add column if not exists run_state LowCardinality(String) after task_reason,
    add column if not exists run_document String codec(ZSTD(3)) after run_state,
    add column if not exists run_reason String codec(ZSTD(3)) after run_document,

    add column if not exists model_name LowCardinality(String) after run_reason,
    add column if not exists input_tokens UInt64 after model_name,
    add column if not exists output_tokens UInt64 after input_tokens,
    add column if not exists cost_microusd UInt64 after output_tokens,
    add column if not exists model_duration_us UInt64 after cost_microusd,
    add column if not exists model_outcome LowCardinality(String) after model_duration_us,

    comment column kind 'decision, state_change, system_signal, tombstone, workspace_created, tool_call, task_transition, run_transition, model_call, unknown, undecodable';

alter table swarm.events_input${on_cluster}
    add column if not exists e_tool_call_tool_name LowCardinality(String),
    add column if not exists e_tool_call_tool_call_id String,
    add column if not exists e_tool_call_tool_arguments String,
    add column if not exists e_tool_call_tool_result String,
    add column if not exists e_tool_call_tool_outcome LowCardinality(String),
    add column if not exists e_tool_call_tool_duration_us UInt64,

    add column if not exists e_task_transition_task_id String,
    add column if not exists e_task_transition_task_state LowCardinality(String),
    add column if not exists e_task_transition_task_trigger LowCardinality(String),
    add column if not exists e_task_transition_task_worker String,
    add column if not exists e_task_transition_task_attempt UInt32,
    add column if not exists e_task_transition_task_fence UInt64,
    add column if not exists e_task_transition_task_document String,
    add column if not exists e_task_transition_task_reason String,

    add column if not exists e_run_transition_run_state LowCardinality(String),
    add column if not exists e_run_transition_run_document String,
    add column if not exists e_run_transition_run_reason String,

    add column if not exists e_model_call_model_name LowCardinality(String),
    add column if not exists e_model_call_input_tokens UInt64,
    add column if not exists e_model_call_output_tokens UInt64,
    add column if not exists e_model_call_cost_microusd UInt64,
    add column if not exists e_model_call_model_duration_us UInt64,
    add column if not exists e_model_call_model_outcome LowCardinality(String);

alter table swarm.events_probe${on_cluster}
    add column if not exists e_tool_call_tool_name LowCardinality(String),
    add column if not exists e_tool_call_tool_call_id String,
    add column if not exists e_tool_call_tool_arguments String,
    add column if not exists e_tool_call_tool_result String,
    add column if not exists e_tool_call_tool_outcome LowCardinality(String),
    add column if not exists e_tool_call_tool_duration_us UInt64,

    add column if not exists e_task_transition_task_id String,
    add column if not exists e_task_transition_task_state LowCardinality(String),
    add column if not exists e_task_transition_task_trigger LowCardinality(String),
    add column if not exists e_task_transition_task_worker String,
    add column if not exists e_task_transition_task_attempt UInt32,
    add column if not exists e_task_transition_task_fence UInt64,
    add column if not exists e_task_transition_task_document String,
    add column if not exists e_task_transition_task_reason String,

    add column if not exists e_run_transition_run_state LowCardinality(String),
    add column if not exists e_run_transition_run_document String,
    add column if not exists e_run_transition_run_reason String,

    add column if not exists e_model_call_model_name LowCardinality(String),
    add column if not exists e_model_call_input_tokens UInt64,
    add column if not exists e_model_call_output_tokens UInt64,
    add column if not exists e_model_call_cost_microusd UInt64,
    add column if not exists e_model_call_model_duration_us UInt64,
    add column if not exists e_model_call_model_outcome LowCardinality(String);

-- Changed in place: were the view dropped and made anew, what is inserted in between would be lost.
alter table swarm.events_append${on_cluster} modify query
-- decode: from here to `decode: end` the text is also what verification decodes `raw` with (ingestor/decoding.py).
with
    -- What DateTime64(9) can hold and show: 1900-01-01T00:00:00 to 2262-04-11T23:47:16. Outside it wraps in silence.
    e_timestamp_seconds < -2208988800 as is_before,
    e_timestamp_seconds > 9223372035 as is_after,
    e_timestamp_nanos < 0 or e_timestamp_nanos > 999999999 as is_odd
select
    stream,
    stream_seq,
    toUUIDOrZero(e_event_id) as event_id,
    fromUnixTimestamp64Nano(
        multiIf(is_before, -2208988800, is_after, 9223372035, e_timestamp_seconds) * 1000000000
            + if(is_before or is_after or is_odd, 0, toInt64(e_timestamp_nanos)),
        'UTC'
    ) as event_time,
    now64(3, 'UTC') as ingested_at,
    subject,
    e_trace_id as trace_id,
    e_span_id as span_id,
    multiIf(
        e_agent_role = 0, 'UNSPECIFIED',
        e_agent_role = 1, 'ARCHITECT',
        e_agent_role = 2, 'CODER',
        e_agent_role = 3, 'REVIEWER',
        e_agent_role = 4, 'OPERATOR',
        toString(e_agent_role)
    ) as agent_role,
    e_agent_id as agent_id,
    kind,
    e_run_id as run_id,
    e_workspace_id as workspace_id,
    e_emitter_id as emitter_id,
    e_emitter_seq as emitter_seq,
    e_previous_digest as previous_digest,
    e_caused_by as caused_by,
    e_attributes as attributes,
    e_redactions as redactions,
    e_original_digest as original_digest,
    e_decision_context_hash as context_hash,
    e_decision_input_trigger as input_trigger,
    e_decision_rationale as rationale,
    e_decision_rejected_alternatives as rejected_alternatives,
    e_decision_memory_ids as memory_ids,
    e_decision_confidence_score as confidence_score,
    e_state_change_target_type as target_type,
    e_state_change_target_resource as target_resource,
    e_state_change_previous_state_hash as previous_state_hash,
    e_state_change_new_state_hash as new_state_hash,
    e_state_change_diff_patch as diff_patch,
    e_state_change_is_reversible as is_reversible,
    e_state_change_mode as mode,
    e_state_change_size_bytes as size_bytes,
    e_state_change_renamed_from as renamed_from,
    e_state_change_resource_bytes as resource_bytes,
    e_system_signal_status as status,
    e_system_signal_cpu_load_percent as cpu_load_percent,
    e_system_signal_memory_usage_mb as memory_usage_mb,
    e_system_signal_final_count as final_count,
    e_system_signal_detail as detail,
    e_tombstone_tombstone_reason as tombstone_reason,
    e_tombstone_refused_kind as refused_kind,
    e_tombstone_refused_size_bytes as refused_size_bytes,
    e_tombstone_refused_digest as refused_digest,
    e_workspace_created_created_workspace_id as created_workspace_id,
    e_workspace_created_parent_workspace_id as parent_workspace_id,
    e_workspace_created_parent_event_id as parent_event_id,
    e_workspace_created_base_commit as base_commit,
    e_workspace_created_manifest_digest as manifest_digest,
    e_tool_call_tool_name as tool_name,
    e_tool_call_tool_call_id as tool_call_id,
    e_tool_call_tool_arguments as tool_arguments,
    e_tool_call_tool_result as tool_result,
    e_tool_call_tool_outcome as tool_outcome,
    e_tool_call_tool_duration_us as tool_duration_us,
    e_task_transition_task_id as task_id,
    e_task_transition_task_state as task_state,
    e_task_transition_task_trigger as task_trigger,
    e_task_transition_task_worker as task_worker,
    e_task_transition_task_attempt as task_attempt,
    e_task_transition_task_fence as task_fence,
    e_task_transition_task_document as task_document,
    e_task_transition_task_reason as task_reason,
    e_run_transition_run_state as run_state,
    e_run_transition_run_document as run_document,
    e_run_transition_run_reason as run_reason,
    e_model_call_model_name as model_name,
    e_model_call_input_tokens as input_tokens,
    e_model_call_output_tokens as output_tokens,
    e_model_call_cost_microusd as cost_microusd,
    e_model_call_model_duration_us as model_duration_us,
    e_model_call_model_outcome as model_outcome,
    raw,
    is_repeated,
    is_before or is_after or is_odd as is_clamped,
    is_authenticated,
    undecodable_reason,
    ledger_identity,
    if(ledger_count > 0, prev_seq, 0) as ledger_prev_seq,
    ledger_prev,
    ledger_root,
    ledger_count
-- decode: end
from swarm.events_input
-- The guard: what is appended must follow what is there. Gaps in the stream are why it compares with the highest
-- sequence seen, not with the one before the first.
where not throwIf(
    prev_seq != (
        select mapFromArrays(groupArray(toString(stream)), groupArray(highest))
        from (select stream, max(stream_seq) as highest from swarm.events group by stream)
    )[toString(stream)],
    'STALE'
);

create view if not exists swarm.tool_calls${on_cluster} as
select
    stream, stream_seq, event_id, event_time, ingested_at, subject, trace_id, span_id, agent_role, agent_id, run_id,
    workspace_id, emitter_id, emitter_seq, caused_by, attributes, redactions, is_authenticated,
    tool_name, tool_call_id, tool_arguments, tool_result, tool_outcome, tool_duration_us
from swarm.events
where kind = 'tool_call' and not is_repeated;

create view if not exists swarm.model_calls${on_cluster} as
select
    stream, stream_seq, event_id, event_time, ingested_at, subject, trace_id, span_id, agent_role, agent_id, run_id,
    workspace_id, emitter_id, emitter_seq, caused_by, attributes, redactions, is_authenticated,
    model_name, input_tokens, output_tokens, cost_microusd, model_duration_us, model_outcome
from swarm.events
where kind = 'model_call' and not is_repeated;

-- Transitions are won one by one on the stream of coordination; what other streams say of a task or a run counts only
-- where that one says nothing of it.
create view if not exists swarm.tasks${on_cluster} as
select
    run_id,
    task_id,
    JSONExtractString(created_as, 'title') as title,
    JSONExtractString(created_as, 'role') as role,
    newest.1 as task_state,
    newest.2 as task_trigger,
    newest.3 as task_worker,
    newest.4 as task_attempt,
    newest.5 as task_fence,
    newest.6 as task_reason,
    created_as as task_document,
    if(ended_as != created_as, ended_as, '') as task_result,
    created_at,
    newest.7 as updated_at,
    newest.8 as event_id,
    transitions
from (
    select
        e.run_id as run_id,
        e.task_id as task_id,
        argMax(
            (
                e.task_state, e.task_trigger, e.task_worker, e.task_attempt, e.task_fence, e.task_reason,
                e.event_time, e.event_id
            ),
            (e.stream = 'SWARM_COORDINATION', e.stream_seq)
        ) as newest,
        argMinIf(e.task_document, (e.stream != 'SWARM_COORDINATION', e.stream_seq), e.task_document != '') as created_as,
        argMaxIf(e.task_document, (e.stream = 'SWARM_COORDINATION', e.stream_seq), e.task_document != '') as ended_as,
        min(e.event_time) as created_at,
        count() as transitions
    from swarm.events as e
    where e.kind = 'task_transition' and not e.is_repeated
    group by e.run_id, e.task_id
);

create or replace view swarm.runs${on_cluster} as
select
    run_id,
    run_state,
    JSONExtractString(created_as, 'task') as task,
    if(JSONHas(newest_document, 'model'), JSONExtractString(newest_document, 'model'), JSONExtractString(created_as, 'model')) as model,
    if(JSONHas(newest_document, 'branch'), JSONExtractString(newest_document, 'branch'), JSONExtractString(created_as, 'branch')) as branch,
    run_reason,
    first_seen,
    last_seen,
    if(run_state in ('SUCCEEDED', 'FAILED', 'CANCELLED'), changed_at, null) as finished_at,
    agents,
    events,
    decisions,
    state_changes,
    signals,
    failures,
    tool_calls,
    model_calls,
    cost_microusd
from (
    select
        e.run_id as run_id,
        argMaxIf(e.run_state, (e.stream = 'SWARM_COORDINATION', e.stream_seq), e.kind = 'run_transition') as run_state,
        argMaxIf(e.run_reason, (e.stream = 'SWARM_COORDINATION', e.stream_seq), e.kind = 'run_transition') as run_reason,
        argMaxIf(e.event_time, (e.stream = 'SWARM_COORDINATION', e.stream_seq), e.kind = 'run_transition') as changed_at,
        argMinIf(e.run_document, (e.stream != 'SWARM_COORDINATION', e.stream_seq), e.run_document != '') as created_as,
        argMaxIf(e.run_document, (e.stream = 'SWARM_COORDINATION', e.stream_seq), e.run_document != '') as newest_document,
        min(e.event_time) as first_seen,
        max(e.event_time) as last_seen,
        uniqExact(e.agent_id) as agents,
        count() as events,
        countIf(e.kind = 'decision') as decisions,
        countIf(e.kind = 'state_change') as state_changes,
        countIf(e.kind = 'system_signal') as signals,
        countIf(e.kind = 'system_signal' and e.status = 'CRITICAL_FAILURE') as failures,
        countIf(e.kind = 'tool_call') as tool_calls,
        countIf(e.kind = 'model_call') as model_calls,
        sum(e.cost_microusd) as cost_microusd
    from swarm.events as e
    where e.kind != 'undecodable' and not e.is_repeated and e.run_id != ''
    group by e.run_id
);

create or replace view swarm.agents${on_cluster} as
select
    agent_id,
    argMax(agent_role, stream_seq) as agent_role,
    min(event_time) as first_seen,
    max(event_time) as last_seen,
    count() as events,
    countIf(kind = 'decision') as decisions,
    countIf(kind = 'state_change') as state_changes,
    countIf(kind = 'system_signal') as signals,
    countIf(kind = 'system_signal' and status = 'CRITICAL_FAILURE') as failures,
    uniqExact(run_id) as runs,
    countIf(kind = 'tool_call') as tool_calls,
    countIf(kind = 'model_call') as model_calls
from swarm.events
where kind != 'undecodable' and not is_repeated
group by agent_id;
