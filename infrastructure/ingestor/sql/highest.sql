-- The checkpoint is the data: the highest sequence of a stream.
select max(stream_seq) as highest from swarm.events where stream = {stream:String}
