-- What an archive made now holds of each stream: all up to its newest ledger head.
select
    stream,
    min(stream_seq) as first_seq,
    max(stream_seq) as last_seq,
    count() as event_count,
    argMax(ledger_identity, stream_seq) as identity,
    concat(stream, '@', toString(last_seq), ':', lower(hex(argMax(ledger_root, stream_seq)))) as head
from swarm.events
inner join
(
    select stream as ledger_stream, max(stream_seq) as ledger_seq
    from swarm.events
    where ledger_count > 0
    group by stream
) as ledger on stream = ledger_stream
where stream_seq <= ledger_seq
group by stream
order by stream
