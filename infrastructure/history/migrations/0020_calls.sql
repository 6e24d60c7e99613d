-- As in 0016, but that calls without ids, which some transcripts have, name who tells of them, too.
create or replace view swarm.tool_calls${on_cluster} as
select
    stream, stream_seq, event_id, event_time, ingested_at, subject, trace_id, span_id, agent_role, agent_id, run_id,
    workspace_id, emitter_id, emitter_seq, caused_by, attributes, redactions, is_authenticated,
    tool_name, tool_call_id, tool_arguments, tool_result, tool_outcome, tool_duration_us,
    if(attributes['source'] = '', [], [attributes['source']])::Array(String) as sources
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
