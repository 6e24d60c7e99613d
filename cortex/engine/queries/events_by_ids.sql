-- Events by their ids, each once.
select
    * except (raw, is_repeated, ledger_identity, ledger_prev_seq, ledger_prev, ledger_root, ledger_count)
        replace (toString(event_id) as event_id, hex(resource_bytes) as resource_bytes),
    toUnixTimestamp64Nano(event_time) as time_ns
from swarm.events
where event_id in (select arrayJoin(arrayMap(text -> toUUIDOrZero(text), {ids:Array(String)})))
    and kind != 'undecodable'
order by is_repeated, ingested_at, stream_seq
limit 1 by event_id
