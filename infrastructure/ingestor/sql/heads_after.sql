-- Heads of a stream's ledger after a sequence, oldest first: the last one of each hundred thousand messages.
select max(stream_seq) as last, argMax(head, stream_seq) as text
from swarm.ledger
where stream = {stream:String} and stream_seq > {after:UInt64}
group by intDiv(stream_seq, 100000)
order by last
limit {most:UInt64}
