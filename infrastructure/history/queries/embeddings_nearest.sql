-- The vectors next to one, by comparing all of the model.
select stream, stream_seq as sequence, min(cosineDistance(vector, {vector:Array(Float32)})) as distance
from swarm.embeddings
where model = {model:String}
    and length(vector) = length({vector:Array(Float32)})
    and (run_id != {except:String} or {except:String} = '')
    and ({run:String} = '' or run_id = {run:String})
group by stream, stream_seq
order by distance, stream_seq desc
limit {limit:UInt32}
