-- What models a session and its sub-agents asked, by agent.
select * except (run_id)
from swarm.usage
where run_id = {run:String}
order by agent_id, model_name
