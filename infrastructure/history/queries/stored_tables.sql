-- Tables that keep data, the events first: what refers to content is frozen before the content.
select name
from system.tables
where database = 'swarm' and engine like '%MergeTree'
order by name != 'events', name
