-- The events that name another as their cause, in the order in which they became history. Streams become history on
-- their own: an effect may be there a minute before its cause.
select
    * except (
        raw, event_id, resource_bytes, line_bytes, previous_digest, original_digest, is_repeated,
        ledger_identity, ledger_prev_seq, ledger_prev, ledger_root, ledger_count
    ),
    toString(event_id) as id,
    hex(resource_bytes) as name_hex,
    hex(line_bytes) as line_hex,
    toUnixTimestamp64Nano(event_time) as time_ns
from swarm.events
where has(caused_by, {id:String}) and not is_repeated and kind != 'undecodable'
    and ingested_at >= parseDateTime64BestEffort({near:String}, 3, 'UTC') - toIntervalSecond(60)
order by ingested_at, stream, stream_seq
limit {limit:UInt64}
