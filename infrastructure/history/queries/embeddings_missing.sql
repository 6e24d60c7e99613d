-- Texts without a vector of a model, the newest first.
select stream, stream_seq as sequence, run_id, text
from swarm.memories
where (stream, stream_seq) not in (select stream, stream_seq from swarm.embeddings where model = {model:String})
order by stream_seq desc
limit 1 by stream, stream_seq
limit {limit:UInt32}
