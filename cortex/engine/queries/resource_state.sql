-- As `state`, for the resources of one name. Renames that say no mode are counted: only a replay has theirs.
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
    maxIf(stream_seq, renamed_from != '' and mode = 0) as unsaid_sequence
from swarm.events
where stream = {stream:String}
    and kind = 'state_change'
    and workspace_id = {workspace:String}
    and target_resource = {name:String}
    and stream_seq <= {sequence:UInt64}
    and not is_repeated
group by target_type, target_resource, resource_bytes
