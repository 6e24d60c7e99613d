-- What agents share (steps, messages, values, artifacts) and what foreign agents leave behind (lines and marks of sessions).
--
-- First the tables learn the columns, then the view fills them, as in 0012.

alter table swarm.events${on_cluster}
    add column if not exists step_id String after model_outcome,
    add column if not exists step_state LowCardinality(String) after step_id,
    add column if not exists step_trigger LowCardinality(String) after step_state,
    add column if not exists step_holder String after step_trigger,
    add column if not exists step_fence UInt64 after step_holder,
    add column if not exists step_expires_at_ms UInt64 after step_fence,
    add column if not exists step_document String codec(ZSTD(3)) after step_expires_at_ms,

    add column if not exists message_recipient String after step_document,
    add column if not exists message_text String codec(ZSTD(3)) after message_recipient,
    add column if not exists message_step String after message_text,

    add column if not exists read_through UInt64 after message_step,
    add column if not exists read_ids Array(String) after read_through,
    add column if not exists removed_through UInt64 after read_ids,

    add column if not exists memory_key String after removed_through,
    add column if not exists memory_value String codec(ZSTD(3)) after memory_key,
    add column if not exists memory_format LowCardinality(String) after memory_value,

    add column if not exists artifact_name String after memory_format,
    add column if not exists artifact_digest String after artifact_name,
    add column if not exists artifact_size_bytes UInt64 after artifact_digest,
    add column if not exists artifact_version UInt32 after artifact_size_bytes,
    add column if not exists artifact_step String after artifact_version,

    add column if not exists line_source LowCardinality(String) after artifact_step,
    add column if not exists line_number UInt64 after line_source,
    add column if not exists line_offset UInt64 after line_number,
    add column if not exists line_bytes String codec(ZSTD(3)) after line_offset,
    add column if not exists line_digest String after line_bytes,
    add column if not exists line_type LowCardinality(String) after line_digest,

    add column if not exists mark_type LowCardinality(String) after line_type,
    add column if not exists mark_text String codec(ZSTD(3)) after mark_type,
    add column if not exists mark_document String codec(ZSTD(3)) after mark_text,

    comment column kind 'decision, state_change, system_signal, tombstone, workspace_created, tool_call, task_transition, run_transition, model_call, step_transition, message, mailbox_read, memory_change, artifact_stored, session_line, session_mark, unknown, undecodable';

alter table swarm.events_input${on_cluster}
    add column if not exists e_step_transition_step_id String,
    add column if not exists e_step_transition_step_state LowCardinality(String),
    add column if not exists e_step_transition_step_trigger LowCardinality(String),
    add column if not exists e_step_transition_step_holder String,
    add column if not exists e_step_transition_step_fence UInt64,
    add column if not exists e_step_transition_step_expires_at_ms UInt64,
    add column if not exists e_step_transition_step_document String,

    add column if not exists e_message_message_recipient String,
    add column if not exists e_message_message_text String,
    add column if not exists e_message_message_step String,

    add column if not exists e_mailbox_read_read_through UInt64,
    add column if not exists e_mailbox_read_read_ids Array(String),
    add column if not exists e_mailbox_read_removed_through UInt64,

    add column if not exists e_memory_change_memory_key String,
    add column if not exists e_memory_change_memory_value String,
    add column if not exists e_memory_change_memory_format LowCardinality(String),

    add column if not exists e_artifact_stored_artifact_name String,
    add column if not exists e_artifact_stored_artifact_digest String,
    add column if not exists e_artifact_stored_artifact_size_bytes UInt64,
    add column if not exists e_artifact_stored_artifact_version UInt32,
    add column if not exists e_artifact_stored_artifact_step String,

    add column if not exists e_session_line_line_source LowCardinality(String),
    add column if not exists e_session_line_line_number UInt64,
    add column if not exists e_session_line_line_offset UInt64,
    add column if not exists e_session_line_line_bytes String,
    add column if not exists e_session_line_line_digest String,
    add column if not exists e_session_line_line_type LowCardinality(String),

    add column if not exists e_session_mark_mark_type LowCardinality(String),
    add column if not exists e_session_mark_mark_text String,
    add column if not exists e_session_mark_mark_document String;

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
    e_step_transition_step_id as step_id,
    e_step_transition_step_state as step_state,
    e_step_transition_step_trigger as step_trigger,
    e_step_transition_step_holder as step_holder,
    e_step_transition_step_fence as step_fence,
    e_step_transition_step_expires_at_ms as step_expires_at_ms,
    e_step_transition_step_document as step_document,
    e_message_message_recipient as message_recipient,
    e_message_message_text as message_text,
    e_message_message_step as message_step,
    e_mailbox_read_read_through as read_through,
    e_mailbox_read_read_ids as read_ids,
    e_mailbox_read_removed_through as removed_through,
    e_memory_change_memory_key as memory_key,
    e_memory_change_memory_value as memory_value,
    e_memory_change_memory_format as memory_format,
    e_artifact_stored_artifact_name as artifact_name,
    e_artifact_stored_artifact_digest as artifact_digest,
    e_artifact_stored_artifact_size_bytes as artifact_size_bytes,
    e_artifact_stored_artifact_version as artifact_version,
    e_artifact_stored_artifact_step as artifact_step,
    e_session_line_line_source as line_source,
    e_session_line_line_number as line_number,
    e_session_line_line_offset as line_offset,
    e_session_line_line_bytes as line_bytes,
    e_session_line_line_digest as line_digest,
    e_session_line_line_type as line_type,
    e_session_mark_mark_type as mark_type,
    e_session_mark_mark_text as mark_text,
    e_session_mark_mark_document as mark_document,
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

-- What agents share is won write by write on the stream of coordination, under a subject for each thing; what other streams
-- say of it does not count. The project is in the subject, behind the first three tokens.
create view if not exists swarm.steps${on_cluster} as
select
    project,
    step_id,
    if(newest.1 = 'in_progress' and newest.4 <= toUnixTimestamp64Milli(now64(3, 'UTC')), 'pending', newest.1) as step_state,
    if(step_state = 'in_progress', newest.3, '') as step_holder,
    newest.2 as step_trigger,
    fence as step_fence,
    if(step_state = 'in_progress', fromUnixTimestamp64Milli(toInt64(newest.4), 'UTC'), null) as step_expires_at,
    if(newest.1 in ('complete', 'blocked', 'needs_review'), newest.8, '') as completed_by,
    JSONExtractString(newest.5, 'next_agent') as next_agent,
    JSONExtractString(newest.5, 'next_action') as next_action,
    JSONExtractString(newest.5, 'note') as note,
    JSONExtract(newest.5, 'changed_files', 'Array(String)') as changed_files,
    newest.5 as step_document,
    created_at,
    newest.6 as updated_at,
    newest.7 as event_id,
    transitions
from (
    select
        decodeURLComponent(splitByChar('.', e.subject)[4]) as project,
        e.step_id as step_id,
        argMax(
            (
                e.step_state, e.step_trigger, e.step_holder, e.step_expires_at_ms, e.step_document, e.event_time,
                e.event_id, e.agent_id
            ),
            e.stream_seq
        ) as newest,
        maxIf(e.stream_seq, e.step_trigger = 'claim') as fence,
        min(e.event_time) as created_at,
        count() as transitions
    from swarm.events as e
    where e.kind = 'step_transition' and e.stream = 'SWARM_COORDINATION' and not e.is_repeated
    group by project, e.step_id
);

create view if not exists swarm.messages${on_cluster} as
with (
    select mapFromArrays(groupArray(project), groupArray(readers))
    from (
        select project, groupArray((agent_id, through)) as readers
        from (
            select
                decodeURLComponent(splitByChar('.', r.subject)[4]) as project,
                r.agent_id as agent_id,
                max(r.read_through) as through
            from swarm.events as r
            where r.kind = 'mailbox_read' and r.stream = 'SWARM_COORDINATION' and not r.is_repeated
            group by project, r.agent_id
        )
        group by project
    )
) as readers_of
select
    stream, stream_seq, event_id, event_time, ingested_at, subject, trace_id, span_id, agent_role, agent_id, run_id,
    workspace_id, emitter_id, emitter_seq, caused_by, attributes, redactions, is_authenticated,
    decodeURLComponent(splitByChar('.', e.subject)[4]) as project,
    message_recipient, message_text, message_step,
    arraySort(arrayMap(
        one -> one.1,
        arrayFilter(
            one -> one.2 >= e.stream_seq and one.1 != e.agent_id and message_recipient in (one.1, '_broadcast'),
            readers_of[project]
        )
    )) as read_by
from swarm.events as e
where kind = 'message' and stream = 'SWARM_COORDINATION' and not is_repeated;

create view if not exists swarm.memory${on_cluster} as
select
    project,
    memory_key,
    newest.1 as memory_value,
    newest.2 as memory_format,
    revision,
    newest.3 as changed_by,
    created_at,
    newest.4 as updated_at,
    newest.5 as event_id,
    changes
from (
    select
        decodeURLComponent(splitByChar('.', e.subject)[4]) as project,
        e.memory_key as memory_key,
        argMax((e.memory_value, e.memory_format, e.agent_id, e.event_time, e.event_id), e.stream_seq) as newest,
        max(e.stream_seq) as revision,
        min(e.event_time) as created_at,
        count() as changes
    from swarm.events as e
    where e.kind = 'memory_change' and e.stream = 'SWARM_COORDINATION' and not e.is_repeated
    group by project, e.memory_key
)
where memory_format != 'deleted';

create view if not exists swarm.artifacts${on_cluster} as
select
    decodeURLComponent(splitByChar('.', e.subject)[4]) as project,
    artifact_name,
    artifact_version,
    artifact_digest,
    artifact_size_bytes,
    artifact_step,
    e.agent_id as stored_by,
    e.event_time as stored_at,
    e.event_id as event_id,
    e.stream_seq = max(e.stream_seq) over (partition by project, artifact_name) as is_newest
from swarm.events as e
where kind = 'artifact_stored' and stream = 'SWARM_COORDINATION' and not is_repeated;
