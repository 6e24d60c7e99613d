-- What a resource of a workspace was when an event was stored.
select argMax(new_state_hash, stream_seq) as state, count() as changes
from swarm.events
where
    stream = {stream:String}
    and kind = 'state_change'
    and not is_repeated
    and target_resource = {resource:String}
    and workspace_id = {workspace:String}
    and target_type = {type:String}
    and stream_seq <= (
        select max(stream_seq) from swarm.events
        where stream = {stream:String} and event_id = toUUIDOrZero({event_id:String})
    )
