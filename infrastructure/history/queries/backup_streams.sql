-- What history holds of each stream.
select
    stream,
    count() as event_count,
    max(stream_seq) as last_seq,
    argMax(ledger_count, stream_seq) > 0 as is_whole,
    concat(stream, '@', toString(last_seq), ':', lower(hex(argMax(ledger_root, stream_seq)))) as head
from swarm.events
group by stream
order by stream
