-- Rows whose raw is the message's and whose columns are not what it decodes to. Digests are compared in hex: as a
-- FixedString becomes a String it loses the zeros at its end, and one row in 256 would differ from itself.
select
    stream_seq,
    arrayFilter(name -> name != '', [${differences}]) as names
from (
    select stream_seq, 1 as side, hex(SHA256(raw)) as digest, ${hashed_columns}
    from ${table}
    where stream = {stream:String} and stream_seq between {first:UInt64} and {last:UInt64}
    union all
    select stream_seq, 2 as side, hex(raw) as digest, ${hashed_columns}
    from ${scratch}.wide
)
group by stream_seq
having min(side) != max(side) and min(digest) = max(digest) and notEmpty(names)
order by stream_seq
limit {limit:UInt64}
