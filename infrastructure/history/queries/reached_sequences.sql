-- The highest sequence of each stream that history holds.
select stream, max(stream_seq) as reached
from swarm.events
group by stream
