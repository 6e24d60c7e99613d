create table ${repair}.input as swarm.events_input engine = Null
