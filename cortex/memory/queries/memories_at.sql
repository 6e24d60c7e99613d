-- What was taken in at these places of the streams.
select
    stream, stream_seq as sequence, toString(event_id) as id, toUnixTimestamp64Nano(event_time) as time_ns, kind,
    agent_role, run_id, text
from swarm.memories
where (stream, stream_seq) in (
    select arrayJoin(arrayZip({streams:Array(String)}, {sequences:Array(UInt64)}))
)
limit 1 by stream, stream_seq
