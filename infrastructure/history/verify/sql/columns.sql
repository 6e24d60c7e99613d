-- The columns of a table of ours in their order, with their types.
select name, type
from system.columns
where database = 'swarm' and table = {table:String}
order by position
