-- Sessions of foreign agents: a row per session and source, and calls of tools as all sources together show them.
--
-- Who mirrors a transcript stores, with each batch of its events, a mark that says how far the transcript is stored and
-- what was counted in it up to there (mark_type = 'mirror'). The newest one is the session's row: what is counted needs
-- the whole transcript, such as which of two records of the same thing counts. Hooks count nothing: their rows are made
-- of their events.

create view if not exists swarm.sessions${on_cluster} as
select
    session_id, run_id, agent_id, parent_agent_id, harness, source,
    arraySort(groupUniqArray(source) over (partition by run_id, session_id)) as sources,
    mapper, path, cwd, model, version, title, branch, first_seen, last_seen, stored_at, is_redacted,
    lines, bytes, assistant_text + thinking as decisions,
    assistant_text,
    thinking,
    user_prompts,
    tool_calls,
    tool_results,
    unanswered_calls,
    orphan_results,
    edit_calls,
    file_edits,
    errors,
    nonzero_exit,
    api_errors,
    malformed_lines,
    recovered_records,
    subagent_calls,
    files_touched,
    files_created,
    structured_patch_hunks,
    api_messages,
    counts, redactions, drift, generation
from (
    select
        attributes['session_id'] as session_id,
        run_id,
        agent_id,
        attributes['parent_agent_id'] as parent_agent_id,
        attributes['harness'] as harness,
        attributes['source'] as source,
        attributes['mapper'] as mapper,
        JSONExtractString(document, 'path') as path,
        JSONExtractString(document, 'facts', 'cwd') as cwd,
        JSONExtractString(document, 'facts', 'model') as model,
        JSONExtractString(document, 'facts', 'version') as version,
        JSONExtractString(document, 'facts', 'title') as title,
        JSONExtractString(document, 'facts', 'branch') as branch,
        fromUnixTimestamp64Nano(JSONExtractInt(document, 'first_ns'), 'UTC') as first_seen,
        fromUnixTimestamp64Nano(JSONExtractInt(document, 'last_ns'), 'UTC') as last_seen,
        stored_at,
        JSONExtractBool(document, 'is_redacted') as is_redacted,
        JSONExtract(document, 'counts', 'Map(String, Int64)') as counts,
        counts['lines'] as lines,
        counts['bytes'] as bytes,
        counts['assistant_text'] as assistant_text,
        counts['thinking'] as thinking,
        counts['user_prompts'] as user_prompts,
        counts['tool_calls'] as tool_calls,
        counts['tool_results'] as tool_results,
        counts['unanswered_calls'] as unanswered_calls,
        counts['orphan_results'] as orphan_results,
        counts['edit_calls'] as edit_calls,
        counts['file_edits'] as file_edits,
        counts['errors'] as errors,
        counts['nonzero_exit'] as nonzero_exit,
        counts['api_errors'] as api_errors,
        counts['malformed_lines'] as malformed_lines,
        counts['recovered_records'] as recovered_records,
        counts['subagent_calls'] as subagent_calls,
        counts['files_touched'] as files_touched,
        counts['files_created'] as files_created,
        counts['structured_patch_hunks'] as structured_patch_hunks,
        counts['api_messages'] as api_messages,
        JSONExtract(document, 'redactions', 'Map(String, Int64)') as redactions,
        JSONExtract(document, 'drift', 'Map(String, Int64)') as drift,
        JSONExtractInt(document, 'generation') as generation
    from (
        select
            e.run_id as run_id,
            e.agent_id as agent_id,
            argMax(e.attributes, (e.stream != 'SWARM_COORDINATION', e.stream_seq)) as attributes,
            argMax(e.mark_document, (e.stream != 'SWARM_COORDINATION', e.stream_seq)) as document,
            max(e.ingested_at) as stored_at
        from swarm.events as e
        where e.kind = 'session_mark' and e.mark_type = 'mirror' and not e.is_repeated
        group by e.run_id, e.agent_id, e.attributes['session_id'], e.attributes['source'], e.attributes['harness']
    )

    union all

    select
        session_id, run_id, agent_id, parent_agent_id, harness, 'hook' as source, mapper, '' as path, '' as cwd,
        '' as model, '' as version, '' as title, '' as branch, first_seen, last_seen, stored_at,
        true as is_redacted, map()::Map(String, Int64) as counts, lines, 0::Int64 as bytes,
        assistant_text,
        thinking,
        user_prompts,
        tool_calls,
        tool_results,
        unanswered_calls,
        0::Int64 as orphan_results,
        edit_calls,
        file_edits,
        errors,
        0::Int64 as nonzero_exit,
        0::Int64 as api_errors,
        0::Int64 as malformed_lines,
        0::Int64 as recovered_records,
        subagent_calls,
        0::Int64 as files_touched,
        0::Int64 as files_created,
        0::Int64 as structured_patch_hunks,
        0::Int64 as api_messages,
        map()::Map(String, Int64) as redactions, map()::Map(String, Int64) as drift, 0::Int64 as generation
    from (
        select
            if(e.attributes['session_id'] = '', e.run_id, e.attributes['session_id']) as session_id,
            e.run_id as run_id,
            argMin(e.agent_id, e.stream_seq) as agent_id,
            argMin(e.attributes['parent_agent_id'], e.stream_seq) as parent_agent_id,
            argMin(e.attributes['harness'], e.stream_seq) as harness,
            argMin(e.attributes['mapper'], e.stream_seq) as mapper,
            min(e.event_time) as first_seen,
            max(e.event_time) as last_seen,
            max(e.ingested_at) as stored_at,
            countIf(e.kind = 'session_line')::Int64 as lines,
            countIf(e.kind = 'decision' and e.attributes['speech'] = 'text')::Int64 as assistant_text,
            countIf(e.kind = 'decision' and e.attributes['speech'] = 'thinking')::Int64 as thinking,
            countIf(e.kind = 'session_mark' and e.mark_type = 'prompt')::Int64 as user_prompts,
            uniqExactIf(e.tool_call_id, e.kind = 'tool_call')::Int64 as tool_calls,
            uniqExactIf(e.tool_call_id, e.kind = 'tool_call' and e.tool_outcome != '')::Int64 as tool_results,
            uniqExactIf(e.tool_call_id, e.kind = 'tool_call' and e.tool_name in ('Edit', 'MultiEdit', 'Write', 'NotebookEdit', 'apply_patch', 'write_file'))::Int64 as edit_calls,
            uniqExactIf(
                e.tool_call_id, e.kind = 'tool_call' and e.tool_name in ('Edit', 'MultiEdit', 'Write', 'NotebookEdit', 'apply_patch', 'write_file') and e.tool_outcome = 'ok'
            )::Int64 as file_edits,
            countIf(
                e.kind = 'session_mark' and JSONExtractString(e.mark_document, 'hook') = 'SubagentStart'
            )::Int64 as subagent_calls,
            uniqExactIf(e.tool_call_id, e.kind = 'tool_call' and e.tool_outcome not in ('', 'ok'))::Int64 as errors,
            tool_calls - tool_results as unanswered_calls
        from swarm.events as e
        where e.kind in ('session_line', 'session_mark', 'tool_call', 'state_change', 'decision', 'model_call')
            and e.run_id in (select run_id from swarm.events where kind = 'session_line' and line_source = 'hook')
            and e.attributes['source'] = 'hook'
            and not e.is_repeated
        group by session_id, e.run_id
    )
);

-- A call that several sources tell of, or that was told before it was answered, is one row: its first event's, with
-- what the others add. Calls of agents that speak for themselves stay one row per event.
create or replace view swarm.tool_calls${on_cluster} as
select
    stream, stream_seq, event_id, event_time, ingested_at, subject, trace_id, span_id, agent_role, agent_id, run_id,
    workspace_id, emitter_id, emitter_seq, caused_by, attributes, redactions, is_authenticated,
    tool_name, tool_call_id, tool_arguments, tool_result, tool_outcome, tool_duration_us,
    []::Array(String) as sources
from swarm.events
where kind = 'tool_call' and not is_repeated and (tool_call_id = '' or attributes['source'] = '')

union all

select
    first.1 as stream, first.2 as stream_seq, first.3 as event_id, first.4 as event_time, first.5 as ingested_at,
    first.6 as subject, first.7 as trace_id, first.8 as span_id, first.9 as agent_role, first.10 as agent_id, run_id,
    first.11 as workspace_id, first.12 as emitter_id, first.13 as emitter_seq, first.14 as caused_by,
    first.15 as attributes, first.16 as redactions, first.17 as is_authenticated,
    tool_name, tool_call_id, tool_arguments, tool_result, tool_outcome, tool_duration_us, sources
from (
    select
        e.run_id as run_id,
        e.tool_call_id as tool_call_id,
        argMin(
            (
                e.stream, e.stream_seq, e.event_id, e.event_time, e.ingested_at, e.subject, e.trace_id, e.span_id,
                e.agent_role, e.agent_id, e.workspace_id, e.emitter_id, e.emitter_seq, e.caused_by, e.attributes,
                e.redactions, e.is_authenticated
            ),
            (e.stream = 'SWARM_COORDINATION', e.stream_seq)
        ) as first,
        argMaxIf(e.tool_name, e.stream_seq, e.tool_name != '') as tool_name,
        argMaxIf(e.tool_arguments, (length(e.tool_arguments), e.stream_seq), e.tool_arguments != '') as tool_arguments,
        argMaxIf(e.tool_result, (e.attributes['source'] = 'transcript', e.stream_seq), e.tool_result != '') as tool_result,
        argMaxIf(e.tool_outcome, (e.attributes['source'] = 'transcript', e.stream_seq), e.tool_outcome != '') as tool_outcome,
        max(e.tool_duration_us) as tool_duration_us,
        arraySort(groupUniqArray(e.attributes['source'])) as sources
    from swarm.events as e
    where e.kind = 'tool_call' and not e.is_repeated and e.tool_call_id != '' and e.attributes['source'] != ''
    group by e.run_id, e.tool_call_id
);

create view if not exists swarm.usage${on_cluster} as
select
    run_id,
    agent_id,
    model_name,
    uniqExact(if(attributes['message_id'] = '', toString(event_id), attributes['message_id'])) as calls,
    sum(input_tokens) as input_tokens,
    sum(output_tokens) as output_tokens,
    sum(toUInt64OrZero(attributes['cache_read_tokens'])) as cache_read_tokens,
    sum(toUInt64OrZero(attributes['cache_write_tokens'])) as cache_write_tokens,
    sum(cost_microusd) as cost_microusd,
    min(event_time) as first_seen,
    max(event_time) as last_seen
from swarm.model_calls
group by run_id, agent_id, model_name;

-- As in 0012, but that a call that foreign agents' sources tell of more than once counts once.
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
        countIf(e.kind = 'tool_call' and (e.emitter_id != '' or e.tool_call_id = ''))
            + uniqExactIf(e.tool_call_id, e.kind = 'tool_call' and e.emitter_id = '' and e.tool_call_id != '') as tool_calls,
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
    countIf(kind = 'tool_call' and (emitter_id != '' or tool_call_id = ''))
        + uniqExactIf((run_id, tool_call_id), kind = 'tool_call' and emitter_id = '' and tool_call_id != '') as tool_calls,
    countIf(kind = 'model_call') as model_calls
from swarm.events
where kind != 'undecodable' and not is_repeated
group by agent_id;
