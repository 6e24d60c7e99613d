-- Emitter numbers that stand for more than one event.
select
    emitter_id, emitter_seq as number, min(stream_seq) as first, max(stream_seq) as last,
    argMax(toString(event_id), stream_seq) as event_id
from swarm.events
where stream = {stream:String} and emitter_id in {emitters:Array(String)}
    and (emitter_id, emitter_seq) in arrayZip({emitters:Array(String)}, {numbers:Array(UInt64)})
group by emitter_id, emitter_seq
having uniqExact(SHA256(raw)) > 1
order by last
