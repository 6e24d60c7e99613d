-- Up to where the spans of a stream are in history.
select max(stream_seq) as highest from swarm.spans where stream = {stream:String}
