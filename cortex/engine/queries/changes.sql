-- The changes of one workspace in a range of the stream, in order; with names, only what concerns these.
select
    stream_seq as sequence, toString(event_id) as id, target_type, target_resource, hex(resource_bytes) as name_hex,
    previous_state_hash, new_state_hash, mode, size_bytes, is_reversible, renamed_from
from swarm.events
where stream = {stream:String}
    and kind = 'state_change'
    and workspace_id = {workspace:String}
    and stream_seq > {after:UInt64}
    and stream_seq <= {sequence:UInt64}
    and (
        empty({names:Array(String)})
        or target_resource in {names:Array(String)}
        or renamed_from in {names:Array(String)}
    )
    and not is_repeated
order by stream_seq
