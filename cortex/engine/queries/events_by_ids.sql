-- Events by their ids, each once.
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
where event_id in (select arrayJoin(arrayMap(text -> toUUIDOrZero(text), {ids:Array(String)})))
    and kind != 'undecodable'
order by is_repeated, ingested_at, stream_seq
limit 1 by event_id
