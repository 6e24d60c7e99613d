-- The newest head of each stream's ledger.
select stream, stream_seq, head
from swarm.ledger
order by stream, stream_seq desc
limit 1 by stream
