-- The last decision of an agent in a run before a place of the stream.
select toString(event_id) as id
from swarm.events
where kind = 'decision' and stream = {stream:String} and stream_seq < {sequence:UInt64}
    and agent_id = {agent:String} and run_id = {run:String} and not is_repeated
order by stream_seq desc
limit 1
