-- Links of the ledger, by their position.
select
    stream_seq as sequence, ledger_prev_seq as prev_sequence, ledger_prev as prev_root, ledger_root as root,
    ledger_count as count, ledger_identity as identity
from ${table}
where stream = {stream:String} and stream_seq between {first:UInt64} and {last:UInt64} and ledger_count > 0
order by stream_seq
