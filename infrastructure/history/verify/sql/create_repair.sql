-- Where a partition is put together before it takes the place of the damaged one; of the same structure.
create table ${repair}.rows as swarm.events
