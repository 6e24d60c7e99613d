-- How far a stream had come at a moment.
select max(stream_seq) as sequence
from swarm.events
where stream = {stream:String} and event_time <= fromUnixTimestamp64Nano({time_ns:Int64}, 'UTC')
