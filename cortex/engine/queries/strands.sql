-- Per resource of one workspace the two ends of its chain of states, what it took from other names, and the sum of what
-- its changes made less what they started from: digests count as their first eight bytes, absence as nothing.
select
    target_type,
    target_resource,
    hex(resource_bytes) as name_hex,
    argMin((stream_seq, previous_state_hash, renamed_from), stream_seq) as first,
    argMax((stream_seq, new_state_hash), stream_seq) as last,
    sum(reinterpretAsUInt64(unhex(substring(new_state_hash, 1, 16)))
        - reinterpretAsUInt64(unhex(substring(previous_state_hash, 1, 16)))) as gain,
    maxMapIf(map(renamed_from, stream_seq), renamed_from != '') as departures
from swarm.events
where stream = {stream:String}
    and kind = 'state_change'
    and workspace_id = {workspace:String}
    and stream_seq <= {sequence:UInt64}
    and not is_repeated
group by target_type, target_resource, resource_bytes
