-- The event at a place of a stream, repeated ones too.
select
    * except (
        raw, event_id, previous_digest, original_digest, is_repeated,
        ledger_identity, ledger_prev_seq, ledger_prev, ledger_root, ledger_count
    ),
    toString(event_id) as event_id
from swarm.events
where stream = {stream:String} and stream_seq = {sequence:UInt64}
limit 1
