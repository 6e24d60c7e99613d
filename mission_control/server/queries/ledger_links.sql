-- The newest batches of each stream's ledger.
select stream, prev_seq, stream_seq, event_count, root, head, ingested_at
from swarm.ledger
order by stream, stream_seq desc
limit 50 by stream
