-- The vectors next to one by the index, and by comparing those that it does not hold yet.
select stream, sequence, min(distance) as distance
from (
    select stream, sequence, run_id, distance
    from (
        select stream, stream_seq as sequence, run_id, cosineDistance(vector, {vector:Array(Float32)}) as distance
        from swarm.${table}
        order by distance
        limit {limit:UInt32}
    )
    union all
    select stream, stream_seq as sequence, run_id, cosineDistance(vector, {vector:Array(Float32)}) as distance
    from swarm.embeddings
    where model = {model:String}
        and length(vector) = length({vector:Array(Float32)})
        and (stream, stream_seq) not in (select stream, stream_seq from swarm.${table})
    order by distance
    limit {limit:UInt32}
)
where (run_id != {except:String} or {except:String} = '') and ({run:String} = '' or run_id = {run:String})
group by stream, sequence
order by distance, sequence desc
