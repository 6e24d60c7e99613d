-- Where else a resource was given this very content, last.
select workspace_id as workspace, stream_seq as sequence
from swarm.events
where target_resource = {name:String}
    and stream = {stream:String}
    and kind = 'state_change'
    and new_state_hash = {digest:String}
    and previous_state_hash != {digest:String}
    and workspace_id != {workspace:String}
    and stream_seq <= {sequence:UInt64}
    and not is_repeated
order by stream_seq desc
limit 1
