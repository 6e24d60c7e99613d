select distinct stream from swarm.pruned_heads order by stream
