-- The event at one place of a stream.
select
    stream, stream_seq as sequence, toString(event_id) as id, toUnixTimestamp64Nano(event_time) as time_ns, kind,
    agent_id, run_id, workspace_id, created_workspace_id
from swarm.events
where stream = {stream:String} and stream_seq = {sequence:UInt64}
limit 1
