-- Vectors of a model that its index does not hold yet.
insert into swarm.${table} (stream, stream_seq, run_id, vector)
select stream, stream_seq, run_id, vector
from swarm.embeddings
where model = {model:String}
    and length(vector) = {dimension:UInt64}
    and (stream, stream_seq) not in (select stream, stream_seq from swarm.${table})
order by stream, stream_seq
limit 1 by stream, stream_seq
limit {limit:UInt64}
