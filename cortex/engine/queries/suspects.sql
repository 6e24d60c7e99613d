-- Per resource of one workspace what its chain of states starts from, and whether it may be broken. In a whole chain
-- every state but the last is the one before a change, so that the sums of both sides' digests differ by its two ends.
select
    target_type,
    target_resource,
    hex(resource_bytes) as name_hex,
    argMin(previous_state_hash, stream_seq) as first_digest,
    sum(sipHash64(new_state_hash)) - sum(sipHash64(previous_state_hash))
        != sipHash64(argMax(new_state_hash, stream_seq)) - sipHash64(first_digest) as is_suspect,
    groupUniqArrayIf(renamed_from, renamed_from != '') as renamed_names
from swarm.events
where stream = {stream:String}
    and kind = 'state_change'
    and workspace_id = {workspace:String}
    and stream_seq <= {sequence:UInt64}
    and not is_repeated
group by target_type, target_resource, resource_bytes
having is_suspect or notEmpty(renamed_names) or first_digest != ''
