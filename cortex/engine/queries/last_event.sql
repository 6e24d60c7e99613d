-- The last event of a workspace, or of a run, whose time is at or before a moment. An empty text asks for nothing.
select
    stream, stream_seq as sequence, toString(event_id) as id, toUnixTimestamp64Nano(event_time) as time_ns, kind,
    agent_id, run_id, workspace_id, created_workspace_id
from swarm.events
where ({workspace:String} = '' or workspace_id = {workspace:String} or created_workspace_id = {workspace:String})
    and ({run:String} = '' or run_id = {run:String})
    and ({stream:String} = '' or stream = {stream:String})
    and event_time <= fromUnixTimestamp64Nano({time_ns:Int64}, 'UTC')
    and kind != 'undecodable'
    and not is_repeated
order by ingested_at desc, stream_seq desc
limit 1
