-- A page of runs, those that began last first, after the last run of the page before.
select
    run_id, run_state, task, model, branch, first_seen, last_seen, finished_at, agents, events, decisions, state_changes,
    cost_microusd, toUnixTimestamp64Nano(first_seen) as began_ns
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
