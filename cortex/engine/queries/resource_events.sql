-- The changes of a resource, of what was made of it under another name, and of its workspaces' creation; newest first.
select
    * except (
        raw, event_id, resource_bytes, line_bytes, previous_digest, original_digest, is_repeated,
        ledger_identity, ledger_prev_seq, ledger_prev, ledger_root, ledger_count
    ),
    toString(event_id) as id,
    hex(resource_bytes) as name_hex,
    hex(line_bytes) as line_hex,
    toUnixTimestamp64Nano(event_time) as time_ns
from swarm.events
where kind = 'state_change' and not is_repeated
    and (target_resource = {name:String} or renamed_from = {name:String})
    and ({workspace:String} = '' or workspace_id = {workspace:String})
order by stream desc, stream_seq desc
limit {limit:UInt64}
