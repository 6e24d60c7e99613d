-- What was taken from events that were dropped.
delete from swarm.${table} where stream = {stream:String} and stream_seq <= {last:UInt64}
