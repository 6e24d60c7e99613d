-- Rows whose raw is the message's and whose columns are not what it decodes to. Floats are compared by their bits.
select
    stored.stream_seq as stream_seq,
    arrayFilter(name -> name != '', [${differences}]) as names
from (
    select * from ${table}
    where stream = {stream:String} and stream_seq between {first:UInt64} and {last:UInt64}
) as stored
inner join ${scratch}.wide as made on stored.stream_seq = made.stream_seq
where SHA256(stored.raw) = made.raw and notEmpty(names)
order by stream_seq
limit {limit:UInt64}
