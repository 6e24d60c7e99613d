-- How often each resource of a workspace was changed up to a place of the stream, and by whom last.
select
    target_type, hex(resource_bytes) as name_hex, target_resource, count() as changes, argMax(agent_id, stream_seq) as agent
from swarm.events
where stream = {stream:String} and kind = 'state_change' and workspace_id = {workspace:String}
    and stream_seq <= {sequence:UInt64} and not is_repeated
group by target_type, resource_bytes, target_resource
