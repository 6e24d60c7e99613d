-- The events of a trace, in the order of their time.
select
    * except (
        raw, event_id, previous_digest, original_digest, is_repeated,
        ledger_identity, ledger_prev_seq, ledger_prev, ledger_root, ledger_count, ${texts}
    ),
    ${cut},
    toString(event_id) as event_id
from
(
    select *
    from swarm.events
    where trace_id = {trace:String} and not is_repeated
    order by event_time, stream, stream_seq
    limit {limit:UInt64}
)
order by event_time, stream, stream_seq
