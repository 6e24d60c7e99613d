-- What is sound stays as it is, byte for byte and with its time of ingestion.
insert into ${repair}.rows
select * from swarm.events
where
    stream = {stream:String}
    and stream_seq between {first:UInt64} and {last:UInt64}
