-- How far a part of history has come.
select count() as row_count, max(stream_seq) as highest
from swarm.events
where stream = {stream:String} and stream_seq between {first:UInt64} and {last:UInt64}
