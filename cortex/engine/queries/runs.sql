-- All runs, the newest last.
select * from swarm.runs order by first_seen, run_id
