-- The batch of a ledger that holds a place of a stream.
select stream, prev_seq, stream_seq, event_count, root, head, ingested_at
from swarm.ledger
where stream = {stream:String} and stream_seq >= {sequence:UInt64} and prev_seq < {sequence:UInt64}
order by stream_seq
limit 1
