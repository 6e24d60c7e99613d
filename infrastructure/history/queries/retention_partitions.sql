-- One row per partition of swarm.events, with what its last batch's ledger says.
select
    stream,
    _partition_id as partition_id,
    min(stream_seq) as first_seq,
    max(stream_seq) as last_seq,
    count() as event_count,
    max(ingested_at) as newest_ingested_at,
    max(event_time) as newest_event_at,
    argMax(ledger_identity, stream_seq) as stream_identity,
    lower(hex(argMax(ledger_root, stream_seq))) as root,
    argMax(ledger_count, stream_seq) as last_batch_count
from swarm.events
group by stream, partition_id
order by stream, first_seq
