-- Columns of all tables and views of the database, in their order.
select table, name, type, comment
from system.columns
where database = 'swarm'
order by table, position
