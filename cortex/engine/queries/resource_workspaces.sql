-- The workspaces that a resource was changed in, where it was changed last first.
select workspace_id as workspace, run_id, stream, max(stream_seq) as sequence
from swarm.events
where target_resource = {name:String} and kind = 'state_change' and not is_repeated
    and ({run:String} = '' or run_id = {run:String})
group by workspace_id, run_id, stream
order by sequence desc
