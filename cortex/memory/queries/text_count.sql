-- How many texts there are.
select '' as word, count() as texts
from swarm.memories
