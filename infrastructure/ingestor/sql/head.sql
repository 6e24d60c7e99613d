-- Where history stands: the last row of a stream, which is the last of its batch and carries the ledger.
select stream_seq, ledger_root, ledger_identity, ledger_count
from swarm.events
where
    stream = {stream:String}
    and stream_seq = (select max(stream_seq) from swarm.events where stream = {stream:String})
