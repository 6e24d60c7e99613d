-- How many vectors a model has, and how long they are.
select length(vector) as dimension, uniqExact(stream, stream_seq) as vectors
from swarm.embeddings
where model = {model:String}
group by dimension
order by vectors desc
limit 1
