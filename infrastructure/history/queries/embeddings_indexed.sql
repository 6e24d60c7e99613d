-- How many vectors an index holds.
select uniqExact(stream, stream_seq) as vectors from swarm.${table}
