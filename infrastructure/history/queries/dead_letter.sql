-- One message that is no event.
select stream, stream_seq, ingested_at, subject, undecodable_reason, raw_bytes, raw
from swarm.dead_letters
where stream = {stream:String} and stream_seq = {stream_seq:UInt64}
