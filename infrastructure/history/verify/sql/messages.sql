-- What history itself holds of the messages, for the part that the stream no longer has.
select stream_seq, subject, raw
from swarm.events
where stream = {stream:String} and stream_seq between {first:UInt64} and {last:UInt64}
order by stream_seq
limit {limit:UInt64}
