-- Of each stream: up to where texts were taken in, and where the events end.
select
    events.stream as stream,
    greatest(ifNull(taken.last_seq, 0), ifNull(pruned.last_seq, 0)) as taken_seq,
    events.last_seq as last_seq
from (select stream, max(stream_seq) as last_seq from swarm.events group by stream) as events
left join (select stream, max(stream_seq) as last_seq from swarm.memories group by stream) as taken
    on taken.stream = events.stream
left join (select stream, max(last_seq) as last_seq from swarm.pruned_heads group by stream) as pruned
    on pruned.stream = events.stream
