-- The events of a run, the newest so many, in the order in which they became history.
select
    * except (raw, is_repeated, ledger_identity, ledger_prev_seq, ledger_prev, ledger_root, ledger_count)
        replace (toString(event_id) as event_id, hex(resource_bytes) as resource_bytes),
    toUnixTimestamp64Nano(event_time) as time_ns
from swarm.events
where run_id = {run:String} and not is_repeated
    and ({all:Bool} or not (kind = 'system_signal' and status = 'HEALTHY'))
order by time_ns desc, stream desc, stream_seq desc
limit {limit:UInt64}
