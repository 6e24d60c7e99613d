-- A page of runs, those that began last first, after the last run of the page before.
with picked as (
    select *, toUnixTimestamp64Nano(first_seen) as began_ns
    from swarm.runs
    where (empty({states:Array(String)}) or run_state in {states:Array(String)})
        and ({run:String} = '' or run_id = {run:String})
        and (
            {is_first:Bool}
            or toUnixTimestamp64Nano(first_seen) < {began_ns:Int64}
            or (toUnixTimestamp64Nano(first_seen) = {began_ns:Int64} and run_id > {after:String})
        )
    order by began_ns desc, run_id
    limit {limit:UInt64}
)
select
    picked.run_id as run_id, run_state, task, model, branch, first_seen, last_seen, finished_at, agents, events, decisions,
    state_changes, cost_microusd, began_ns, errors, tokens_in, tokens_out, harness, parent
from picked
any left join (
    select
        run_id,
        countIf(${failed}) as errors,
        sum(input_tokens) as tokens_in,
        sum(output_tokens) as tokens_out,
        anyIf(attributes['harness'], attributes['harness'] != '') as harness,
        anyIf(JSONExtractString(run_document, 'parent', 'run_id'), run_document != '') as parent
    from swarm.events
    where run_id in (select run_id from picked) and not is_repeated
    group by run_id
) as counted on counted.run_id = picked.run_id
order by began_ns desc, run_id
