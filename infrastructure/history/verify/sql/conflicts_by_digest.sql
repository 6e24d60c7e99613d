-- As `conflicts`, for emitters whose ids are too long to be asked for.
select
    emitter_id, emitter_seq as number, min(stream_seq) as first, max(stream_seq) as last,
    argMax(toString(event_id), stream_seq) as event_id
from swarm.events
where stream = {stream:String} and length(emitter_id) > {longest:UInt64}
    and (lower(hex(SHA256(toString(emitter_id)))), emitter_seq) in arrayZip({emitters:Array(String)}, {numbers:Array(UInt64)})
group by emitter_id, emitter_seq
having uniqExact(SHA256(raw)) > 1
order by last
