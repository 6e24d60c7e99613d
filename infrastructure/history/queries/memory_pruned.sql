-- Up to where a stream's events were dropped while texts of them are still there.
select pruned.stream as stream, pruned.last_seq as last_seq
from (select stream, max(last_seq) as last_seq from swarm.pruned_heads group by stream) as pruned
inner join (select stream, min(stream_seq) as first_seq from swarm.memories group by stream) as kept
    on kept.stream = pruned.stream
where kept.first_seq <= pruned.last_seq
