-- The workspaces that a run changed or created.
select distinct if(kind = 'state_change', workspace_id, created_workspace_id) as workspace
from swarm.events
where run_id = {run:String} and kind in ('state_change', 'workspace_created') and not is_repeated
order by workspace
