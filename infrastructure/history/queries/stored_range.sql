-- Messages of one stream behind a sequence, in stream order, that a filter asks for. An empty text asks for nothing.
select stream_seq, toUnixTimestamp64Nano(event_time) as event_time_ns, subject, raw
from swarm.events
where stream = {stream:String}
    and stream_seq > {after:UInt64}
    and stream_seq <= {last:UInt64}
    and ({role:String} = '' or agent_role = {role:String})
    and ({agent:String} = '' or agent_id = {agent:String})
    and ({kind:String} = '' or kind = {kind:String})
    and ({run:String} = '' or run_id = {run:String})
    and ({trace:String} = '' or trace_id = {trace:String})
    and ({resource:String} = '' or target_resource = {resource:String})
    and event_time >= fromUnixTimestamp64Nano({since_ns:Int64}, 'UTC')
    and event_time <= fromUnixTimestamp64Nano({until_ns:Int64}, 'UTC')
order by stream_seq
limit {limit:UInt64}
