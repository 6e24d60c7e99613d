-- As `state`, for the resources of one name.
select
    target_type,
    target_resource,
    hex(resource_bytes) as name_hex,
    argMax(
        (stream_seq, event_id, previous_state_hash, new_state_hash, mode, size_bytes, is_reversible, renamed_from),
        stream_seq
    ) as newest,
    maxIf(stream_seq, mode != 0 or new_state_hash = '') as mode_sequence,
    argMaxIf(mode, stream_seq, mode != 0 or new_state_hash = '') as known_mode,
    groupArrayIf((renamed_from, stream_seq, event_id, mode = 0), renamed_from != '') as departures
from swarm.events
where stream = {stream:String}
    and kind = 'state_change'
    and workspace_id = {workspace:String}
    and target_resource = {name:String}
    and stream_seq <= {sequence:UInt64}
    and not is_repeated
group by target_type, target_resource, resource_bytes
