-- One event by its id; where the stream holds it twice, the first.
select
    stream, stream_seq as sequence, toString(event_id) as id, toUnixTimestamp64Nano(event_time) as time_ns, kind,
    agent_id, run_id, workspace_id, created_workspace_id
from swarm.events
where event_id = toUUID({id:String})
order by is_repeated, ingested_at, stream_seq
limit 1
