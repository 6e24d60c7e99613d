-- The events of a run, the newest so many, in the order in which they became history. Left out unless all are wanted:
-- that an agent is well, lines of transcripts, whose contents other events tell, and how far those are stored.
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
where run_id = {run:String} and not is_repeated
    and (
        {all:Bool}
        or not (
            (kind = 'system_signal' and status = 'HEALTHY')
            or kind = 'session_line'
            or (kind = 'session_mark' and mark_type = 'mirror')
        )
    )
order by ingested_at desc, stream desc, stream_seq desc
limit {limit:UInt64}
