-- The newest events of one stream that a filter asks for, oldest first. An empty text asks for nothing.
-- `raw` and the ledger are left out: they are not what a person lists events for.
select * except (raw, is_repeated, ledger_identity, ledger_prev_seq, ledger_prev, ledger_root, ledger_count)
from
(
    select *
    from swarm.events
    where stream = {stream:String}
        and not is_repeated
        and ({role:String} = '' or agent_role = {role:String})
        and ({agent:String} = '' or agent_id = {agent:String})
        and ({kind:String} = '' or kind = {kind:String})
        and ({run:String} = '' or run_id = {run:String})
        and ({trace:String} = '' or trace_id = {trace:String})
        and ({resource:String} = '' or target_resource = {resource:String})
        and event_time >= fromUnixTimestamp64Nano({since_ns:Int64}, 'UTC')
        and event_time <= fromUnixTimestamp64Nano({until_ns:Int64}, 'UTC')
    order by stream_seq desc
    limit {limit:UInt64}
)
order by stream_seq
