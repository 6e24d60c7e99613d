-- Whether there is a run of this name.
select 1 as known from swarm.events where run_id = {run:String} limit 1
