-- Messages that are no events, newest last.
select stream, stream_seq, ingested_at, subject, undecodable_reason, raw_bytes
from
(
    select stream, stream_seq, ingested_at, subject, undecodable_reason, raw_bytes
    from swarm.dead_letters
    where ingested_at >= fromUnixTimestamp64Nano({since_ns:Int64}, 'UTC')
        and ingested_at <= fromUnixTimestamp64Nano({until_ns:Int64}, 'UTC')
    order by ingested_at desc, stream, stream_seq desc
    limit {limit:UInt64}
)
order by ingested_at, stream, stream_seq
