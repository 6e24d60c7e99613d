-- The columns of swarm.events in their order, with their types.
select name, type
from system.columns
where database = 'swarm' and table = 'events'
order by position
