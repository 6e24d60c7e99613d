select count() as row_count, min(stream_seq) as first, max(stream_seq) as last
from swarm.events
where stream = {stream:String}
