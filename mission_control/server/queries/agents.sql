-- Agents of one run or all, heard of last first: counts, the newest signal, decision, failure and span of each.
-- A tuple with an empty id: there is none.
select
    agent_id,
    argMax(agent_role, event_time) as role,
    argMax(run_id, event_time) as newest_run,
    min(event_time) as first_seen,
    max(event_time) as last_seen,
    count() as events,
    countIf(kind = 'decision') as decisions,
    countIf(kind = 'state_change') as changes,
    countIf(${failed}) as failures,
    argMaxIf(status, event_time, kind = 'system_signal') as newest_status,
    arraySlice(
        arraySort(
            groupArrayLastIf(60)(
                (toUnixTimestamp64Milli(event_time), cpu_load_percent, memory_usage_mb), kind = 'system_signal'
            )
        ),
        -60
    ) as samples,
    argMaxIf((toString(event_id), leftUTF8(rationale, 500), toUnixTimestamp64Nano(event_time)), event_time, kind = 'decision')
        as decision,
    argMaxIf((toString(event_id), leftUTF8(detail, 1000), toUnixTimestamp64Nano(event_time)), event_time, status = 'CRITICAL_FAILURE')
        as failure,
    maxIf(event_time, kind = 'system_signal' and status != 'CRITICAL_FAILURE')
        > maxIf(event_time, status = 'CRITICAL_FAILURE') as is_well_since,
    argMaxIf((trace_id, span_id), event_time, span_id != '') as span,
    max(ingested_at) as ingested
from swarm.events
where not is_repeated and agent_id != '' and kind != 'undecodable'
    and ({run:String} = '' or run_id = {run:String})
group by agent_id
order by last_seen desc, agent_id
limit {limit:UInt64}
