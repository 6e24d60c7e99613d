-- The vectors next to one by the index; more are taken from it than are asked for, since some are left out.
select stream, sequence, min(distance) as distance
from (
    select stream, stream_seq as sequence, run_id, cosineDistance(vector, {vector:Array(Float32)}) as distance
    from swarm.${table}
    order by distance
    limit {limit:UInt32} * 4
)
where run_id != {except:String} or {except:String} = ''
group by stream, sequence
order by distance, sequence desc
limit {limit:UInt32}
