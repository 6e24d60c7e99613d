-- The newest time that a name went away because its content took another one.
select target_type, max(stream_seq) as sequence
from swarm.events
where stream = {stream:String}
    and kind = 'state_change'
    and workspace_id = {workspace:String}
    and renamed_from = {name:String}
    and stream_seq <= {sequence:UInt64}
    and not is_repeated
group by target_type
