-- The events of the swarm: one row per message of the stream, whether it decodes or not.
--
-- A batch enters through swarm.events_input, which keeps nothing: ClickHouse decodes the protobuf (stored.proto), the
-- materialized view swarm.events_append compares and appends. One insert is one block is one part.

create table if not exists swarm.events${on_cluster}
(
    stream LowCardinality(String) comment 'name of the stream',
    stream_seq UInt64 comment 'position in the stream, from 1' codec(Delta, ZSTD(1)),
    event_id UUID comment 'the nil UUID where the message does not decode' codec(NONE),
    event_time DateTime64(9, 'UTC') comment 'by the emitter''s clock; see is_clamped' codec(Delta, ZSTD(1)),
    ingested_at DateTime64(3, 'UTC') comment 'when the row was written' codec(Delta, ZSTD(1)),
    subject LowCardinality(String) comment 'as published; the payload wins where they disagree',
    trace_id String comment '32 hex digits; empty outside a span' codec(ZSTD(1)),
    span_id String comment '16 hex digits; empty outside a span' codec(ZSTD(1)),
    agent_role LowCardinality(String) comment 'ARCHITECT, CODER, REVIEWER, OPERATOR, UNSPECIFIED, or the number of a newer role',
    agent_id LowCardinality(String),
    kind LowCardinality(String) comment 'decision, state_change, system_signal, tombstone, workspace_created, unknown, undecodable',
    run_id LowCardinality(String),
    workspace_id LowCardinality(String),
    emitter_id LowCardinality(String) comment 'one life of one agent instance',
    emitter_seq UInt64 comment 'its counter, from 1; 0: not numbered' codec(ZSTD(1)),
    previous_digest String comment 'SHA-256 of the emitter''s previous event as published' codec(ZSTD(1)),
    caused_by Array(String) codec(ZSTD(1)),
    attributes Map(LowCardinality(String), String) codec(ZSTD(1)),
    redactions Map(LowCardinality(String), UInt32) codec(ZSTD(1)),
    original_digest String codec(ZSTD(1)),

    context_hash String codec(ZSTD(1)),
    input_trigger String codec(ZSTD(3)),
    rationale String codec(ZSTD(3)),
    rejected_alternatives Array(String) codec(ZSTD(3)),
    memory_ids Array(String) codec(ZSTD(1)),
    confidence_score Float32 codec(ZSTD(1)),

    target_type LowCardinality(String),
    target_resource String codec(ZSTD(1)),
    previous_state_hash String codec(ZSTD(1)),
    new_state_hash String codec(ZSTD(1)),
    diff_patch String codec(ZSTD(3)),
    is_reversible Bool codec(ZSTD(1)),
    mode UInt32 codec(ZSTD(1)),
    size_bytes UInt64 codec(ZSTD(1)),
    renamed_from String codec(ZSTD(1)),
    resource_bytes String codec(ZSTD(1)),

    status LowCardinality(String),
    cpu_load_percent Int32 codec(ZSTD(1)),
    memory_usage_mb Int32 codec(ZSTD(1)),
    final_count UInt64 codec(ZSTD(1)),
    detail String codec(ZSTD(3)),

    tombstone_reason String codec(ZSTD(1)),
    refused_kind LowCardinality(String),
    refused_size_bytes UInt64 codec(ZSTD(1)),
    refused_digest String codec(ZSTD(1)),

    created_workspace_id String codec(ZSTD(1)),
    parent_workspace_id String codec(ZSTD(1)),
    parent_event_id String codec(ZSTD(1)),
    base_commit String codec(ZSTD(1)),
    manifest_digest String codec(ZSTD(1)),

    raw String comment 'the message as received, byte for byte' codec(ZSTD(3)) settings (min_compress_block_size = 4194304, max_compress_block_size = 4194304),
    is_repeated Bool comment 'an earlier message has this emitter_id and emitter_seq' codec(ZSTD(1)),
    is_clamped Bool comment 'event_time lies outside what the column holds; the original is in raw' codec(ZSTD(1)),
    is_authenticated Bool comment 'the subject ends in the token of agent_id, on which the bus lets only users publish that may speak for it: the operator, an unbound agent user, one bound to it' codec(ZSTD(1)),
    undecodable_reason LowCardinality(String) comment 'why the message does not decode',

    ledger_identity LowCardinality(String) comment 'last row of a batch: name@created of the stream',
    ledger_prev_seq UInt64 comment 'last row of a batch: sequence of the head before it' codec(ZSTD(1)),
    ledger_prev String comment 'last row of a batch: root before it, 32 bytes' codec(ZSTD(1)),
    ledger_root String comment 'last row of a batch: root after it, 32 bytes' codec(ZSTD(1)),
    ledger_count UInt32 comment 'last row of a batch: how many messages it holds; 0 in every other row' codec(ZSTD(1)),

    index by_trace trace_id type bloom_filter(0.01) granularity 1,
    index by_event event_id type bloom_filter(0.01) granularity 1,
    index by_resource target_resource type bloom_filter(0.01) granularity 1,
    index by_agent agent_id type bloom_filter(0.01) granularity 1,
    index by_run run_id type bloom_filter(0.01) granularity 1,
    index by_emitter emitter_id type bloom_filter(0.01) granularity 1,
    index by_kind kind type set(16) granularity 1,
    index by_time event_time type minmax granularity 1,
    index by_batch ledger_count type minmax granularity 1,

    -- A file that is changed often has a row in nearly every granule, where no skipping index helps: what is asked of a
    -- resource is kept a second time in its order. A projection lives and dies with its part, so nothing can come apart.
    projection of_resource
    (
        select
            target_resource, workspace_id, target_type, stream, stream_seq, event_id, event_time, kind, agent_id, run_id,
            previous_state_hash, new_state_hash, mode, size_bytes, is_repeated
        order by target_resource, stream_seq
    )
)
engine = ${mergetree}
-- By sequence range, never by event time: a batch stays within one partition and therefore one part.
partition by (stream, intDiv(stream_seq, 1000000))
order by (stream, stream_seq)
-- A batch becomes one compact part: every column in one file. As a wide part it would be some 270 files, each with an
-- fsync of its own, which was most of an insert's time. Merges make wide parts of what has come together. A merge costs
-- two thirds of an insert: two dozen parts have to wait for it while a backlog is read, and a partition that has been
-- left alone for an hour becomes one part.
settings ${mergetree_settings}, min_bytes_for_wide_part = 536870912, merge_selector_base = 16,
    min_parts_to_merge_at_once = 24, min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1,
    lightweight_mutation_projection_mode = 'rebuild';

create table if not exists swarm.events_input${on_cluster}
(
    stream_seq UInt64,
    subject LowCardinality(String),
    raw String,
    kind LowCardinality(String),
    undecodable_reason LowCardinality(String),
    is_repeated Bool,
    is_authenticated Bool,
    ledger_identity LowCardinality(String),
    ledger_prev String,
    ledger_root String,
    ledger_count UInt32,
    stream LowCardinality(String),
    prev_seq UInt64,

    e_event_id String,
    e_timestamp_seconds Int64,
    e_timestamp_nanos Int32,
    e_trace_id String,
    e_span_id String,
    e_agent_role Int32,
    e_agent_id LowCardinality(String),
    e_run_id LowCardinality(String),
    e_emitter_id LowCardinality(String),
    e_emitter_seq UInt64,
    e_previous_digest String,
    e_caused_by Array(String),
    e_attributes Map(LowCardinality(String), String),
    e_workspace_id LowCardinality(String),
    e_redactions Map(LowCardinality(String), UInt32),
    e_original_digest String,

    e_decision_context_hash String,
    e_decision_input_trigger String,
    e_decision_rationale String,
    e_decision_rejected_alternatives Array(String),
    e_decision_memory_ids Array(String),
    e_decision_confidence_score Float32,

    e_state_change_target_type LowCardinality(String),
    e_state_change_target_resource String,
    e_state_change_previous_state_hash String,
    e_state_change_new_state_hash String,
    e_state_change_diff_patch String,
    e_state_change_is_reversible Bool,
    e_state_change_mode UInt32,
    e_state_change_size_bytes UInt64,
    e_state_change_renamed_from String,
    e_state_change_resource_bytes String,

    e_system_signal_status LowCardinality(String),
    e_system_signal_cpu_load_percent Int32,
    e_system_signal_memory_usage_mb Int32,
    e_system_signal_final_count UInt64,
    e_system_signal_detail String,

    e_tombstone_tombstone_reason String,
    e_tombstone_refused_kind LowCardinality(String),
    e_tombstone_refused_size_bytes UInt64,
    e_tombstone_refused_digest String,

    e_workspace_created_created_workspace_id String,
    e_workspace_created_parent_workspace_id String,
    e_workspace_created_parent_event_id String,
    e_workspace_created_base_commit String,
    e_workspace_created_manifest_digest String
)
engine = Null;

-- Takes what swarm.events_input takes and nothing comes of it: which row of a refused batch is the one that ClickHouse
-- cannot decode is found here.
create table if not exists swarm.events_probe${on_cluster} as swarm.events_input engine = Null;

create materialized view if not exists swarm.events_append${on_cluster} to swarm.events as
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

create view if not exists swarm.decisions${on_cluster} as
select
    stream, stream_seq, event_id, event_time, ingested_at, subject, trace_id, span_id, agent_role, agent_id, run_id,
    workspace_id, emitter_id, emitter_seq, caused_by, attributes, redactions, is_authenticated,
    context_hash, input_trigger, rationale, rejected_alternatives, memory_ids, confidence_score
from swarm.events
where kind = 'decision' and not is_repeated;

create view if not exists swarm.state_changes${on_cluster} as
select
    stream, stream_seq, event_id, event_time, ingested_at, subject, trace_id, span_id, agent_role, agent_id, run_id,
    workspace_id, emitter_id, emitter_seq, caused_by, attributes, redactions, is_authenticated,
    target_type, target_resource, previous_state_hash, new_state_hash, diff_patch, is_reversible, mode, size_bytes,
    renamed_from, resource_bytes
from swarm.events
where kind = 'state_change' and not is_repeated;

create view if not exists swarm.signals${on_cluster} as
select
    stream, stream_seq, event_id, event_time, ingested_at, subject, trace_id, span_id, agent_role, agent_id, run_id,
    workspace_id, emitter_id, emitter_seq, caused_by, attributes, redactions, is_authenticated,
    status, cpu_load_percent, memory_usage_mb, final_count, detail
from swarm.events
where kind = 'system_signal' and not is_repeated;

create view if not exists swarm.workspaces${on_cluster} as
select
    stream, stream_seq, event_id, event_time, ingested_at, subject, trace_id, span_id, agent_role, agent_id, run_id,
    workspace_id, emitter_id, emitter_seq, caused_by, attributes, redactions, is_authenticated,
    created_workspace_id, parent_workspace_id, parent_event_id, base_commit, manifest_digest
from swarm.events
where kind = 'workspace_created' and not is_repeated;

create view if not exists swarm.agents${on_cluster} as
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
    uniqExact(run_id) as runs
from swarm.events
where kind != 'undecodable' and not is_repeated
group by agent_id;

create view if not exists swarm.runs${on_cluster} as
select
    run_id,
    min(event_time) as first_seen,
    max(event_time) as last_seen,
    uniqExact(agent_id) as agents,
    count() as events,
    countIf(kind = 'decision') as decisions,
    countIf(kind = 'state_change') as state_changes,
    countIf(kind = 'system_signal') as signals,
    countIf(kind = 'system_signal' and status = 'CRITICAL_FAILURE') as failures
from swarm.events
where kind != 'undecodable' and not is_repeated and run_id != ''
group by run_id;

create view if not exists swarm.ledger${on_cluster} as
select
    stream,
    ledger_prev_seq as prev_seq,
    stream_seq,
    ledger_count as event_count,
    ledger_identity as stream_identity,
    lower(hex(ledger_prev)) as prev_root,
    lower(hex(ledger_root)) as root,
    concat(stream, '@', toString(stream_seq), ':', lower(hex(ledger_root))) as head,
    ingested_at
from swarm.events
where ledger_count > 0;

create view if not exists swarm.dead_letters${on_cluster} as
select stream, stream_seq, ingested_at, subject, undecodable_reason, length(raw) as raw_bytes, raw
from swarm.events
where kind = 'undecodable';
