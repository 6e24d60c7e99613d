-- What a workspace started from: its first creation.
select
    stream, stream_seq as sequence, toString(event_id) as id, toUnixTimestamp64Nano(event_time) as time_ns, run_id,
    parent_workspace_id, parent_event_id, base_commit, manifest_digest
from swarm.events
where kind = 'workspace_created' and created_workspace_id = {workspace:String} and not is_repeated
order by ingested_at, stream_seq
limit 1
