-- The highest sequence of each stream that history holds, and when it got there.
select stream, max(stream_seq) as reached, max(ingested_at) as at
from swarm.events
group by stream
