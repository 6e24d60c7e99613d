select distinct stream from swarm.events order by stream
