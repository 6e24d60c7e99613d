-- The changes of one resource, newest first, with their patches.
select
    stream_seq as sequence, toString(event_id) as id, target_type, target_resource, hex(resource_bytes) as name_hex,
    previous_state_hash, new_state_hash, mode, size_bytes, is_reversible, renamed_from, diff_patch
from swarm.events
where stream = {stream:String}
    and kind = 'state_change'
    and workspace_id = {workspace:String}
    and target_resource = {name:String}
    and stream_seq <= {sequence:UInt64}
    and not is_repeated
order by stream_seq desc
limit {limit:UInt64}
