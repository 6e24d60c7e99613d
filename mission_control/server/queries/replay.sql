-- The whole history of a run by columns, as one JSON object. The order is that of each stream, streams merged by time:
-- an event whose clock is behind that of the one before it in its stream counts as simultaneous with it.
-- Numbers of texts count from 0 in the order in which the texts appear first.
with
    timed as (
        select
            *,
            max(event_ms) over (
                partition by stream order by stream_seq rows between unbounded preceding and current row
            ) as time_ms
        from (
            select
                stream, stream_seq, event_id, toUnixTimestamp64Milli(event_time) as event_ms, kind, agent_id, agent_role,
                ${failed} as is_failed,
                multiIf(
                    kind = 'system_signal', toString(status),
                    kind = 'task_transition', toString(task_state),
                    kind = 'run_transition', toString(run_state),
                    kind = 'tool_call', toString(tool_outcome),
                    toString(model_outcome)
                ) as state,
                task_id, trace_id,
                if(
                    kind = 'state_change',
                    (toString(workspace_id), toString(target_type), target_resource), ('', '', '')
                ) as resource,
                new_state_hash, size_bytes, mode, toUUIDOrZero(caused_by[1]) as cause
            from swarm.events
            where run_id = {run:String} and not is_repeated
                and stream_seq > if(
                    has({streams:Array(String)}, stream), {sequences:Array(UInt64)}[indexOf({streams:Array(String)}, stream)], 0
                )
        )
    ),
    placed as (
        select *, toInt64(row_number() over (order by time_ms, stream, stream_seq)) - 1 as place
        from timed
    ),
    gathered as (
        select
            groupArray(row) as sorted
        from (
            select
                (
                    stream_seq, toString(stream), time_ms, toString(kind), toString(agent_id), is_failed, state, task_id,
                    resource, new_state_hash, size_bytes, mode, if(causes.is_known, causes.at, -1), trace_id,
                    toString(agent_role)
                ) as row
            from placed
            any left join (select event_id, place as at, true as is_known from placed) as causes on causes.event_id = placed.cause
            order by place
        )
    )
select
    {run:String} as run_id,
    length(sorted) as rows,
    arrayDistinct(sorted.2) as streams,
    arrayMap(
        id -> CAST((id, sorted[indexOf(sorted.5, id)].15), 'Tuple(id String, role String)'), arrayDistinct(sorted.5)
    ) as agents,
    arrayDistinct(sorted.4) as kinds,
    arrayDistinct(sorted.7) as statuses,
    -- Where there may be none, the empty text comes first and is taken away: it counts as -1.
    arrayPopFront(arrayDistinct(arrayPushFront(sorted.8, ''))) as tasks,
    CAST(
        arrayPopFront(arrayDistinct(arrayPushFront(sorted.9, ('', '', '')))),
        'Array(Tuple(workspace_id String, type String, name String))'
    ) as resources,
    arrayDistinct(sorted.10) as hashes,
    arrayDistinct(sorted.14) as traces,
    CAST(
        (
            sorted.1,
            arrayMap(number -> number - 1, arrayEnumerateDense(sorted.2)),
            sorted.3,
            arrayMap(number -> number - 1, arrayEnumerateDense(sorted.4)),
            arrayMap(number -> number - 1, arrayEnumerateDense(sorted.5)),
            sorted.6,
            arrayMap(number -> number - 1, arrayEnumerateDense(sorted.7)),
            arrayMap(number -> toInt64(number) - 2, arrayPopFront(arrayEnumerateDense(arrayPushFront(sorted.8, '')))),
            arrayMap(number -> toInt64(number) - 2, arrayPopFront(arrayEnumerateDense(arrayPushFront(sorted.9, ('', '', ''))))),
            arrayMap(number -> number - 1, arrayEnumerateDense(sorted.10)),
            sorted.11,
            sorted.12,
            sorted.13,
            arrayMap(number -> number - 1, arrayEnumerateDense(sorted.14))
        ),
        'Tuple(
            seq Array(UInt64), stream Array(Int64), time_ms Array(Int64), kind Array(Int64), agent Array(Int64),
            flag Array(UInt8), status Array(Int64), task Array(Int64), resource Array(Int64), hash Array(Int64),
            size Array(UInt64), mode Array(UInt32), cause Array(Int64), trace Array(Int64)
        )'
    ) as columns,
    arrayMap(
        name -> CAST(
            (name, arrayMax(arrayMap((seq, stream) -> if(stream = name, seq, 0), sorted.1, sorted.2))),
            'Tuple(stream String, seq UInt64)'
        ),
        arrayDistinct(sorted.2)
    ) as end
from gathered
