create table ${scratch}.wide_input as swarm.events_input engine = Null
