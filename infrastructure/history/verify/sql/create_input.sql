create table ${scratch}.input as swarm.events_input engine = Null
