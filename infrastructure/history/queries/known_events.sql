-- Where events with these ids were stored first.
select toString(event_id) as id, argMin(stream, stream_seq) as stream, min(stream_seq) as sequence
from swarm.events
where event_id in (select arrayJoin(arrayMap(text -> toUUID(text), {ids:Array(String)})))
group by event_id
