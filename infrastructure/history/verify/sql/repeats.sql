-- Rows that history takes for repeats.
select stream_seq
from swarm.events
where stream = {stream:String} and stream_seq between {first:UInt64} and {last:UInt64} and is_repeated
