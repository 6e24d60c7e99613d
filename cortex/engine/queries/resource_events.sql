-- The changes of a resource, of what was made of it under another name, and of its workspaces' creation; newest first.
select
    * except (raw, is_repeated, ledger_identity, ledger_prev_seq, ledger_prev, ledger_root, ledger_count)
        replace (toString(event_id) as event_id, hex(resource_bytes) as resource_bytes),
    toUnixTimestamp64Nano(event_time) as time_ns
from swarm.events
where kind = 'state_change' and not is_repeated
    and (target_resource = {name:String} or renamed_from = {name:String})
    and ({workspace:String} = '' or workspace_id = {workspace:String})
order by stream desc, stream_seq desc
limit {limit:UInt64}
