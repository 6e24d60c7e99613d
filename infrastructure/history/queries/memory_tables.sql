-- The tables that hold what was taken from events.
select name
from system.tables
where database = 'swarm' and (name in ('memories', 'embeddings') or startsWith(name, 'embeddings_of_'))
