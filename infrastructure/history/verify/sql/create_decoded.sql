-- Keeps nothing; gives every decoded value the type that it has in swarm.events.
create table ${scratch}.decoded (${plain_definitions}) engine = Null
