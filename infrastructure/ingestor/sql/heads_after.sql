-- Heads of a stream's ledger after a sequence, oldest first.
select stream_seq, head
from swarm.ledger
where stream = {stream:String} and stream_seq > {after:UInt64}
order by stream_seq
limit {most:UInt64}
