-- The workspaces that a run changed or created, that of its own name first.
select workspace_id as workspace
from swarm.events
where run_id = {run:String} and workspace_id != '' and kind in ('state_change', 'workspace_created') and not is_repeated
group by workspace
order by workspace != {run:String}, workspace
limit 1000
