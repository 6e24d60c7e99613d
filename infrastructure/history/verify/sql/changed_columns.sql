-- Rows whose raw is the message's and whose columns are not what it decodes to. Without a join on purpose: with
-- the same rows in the same tables, one gave them in some processes and nothing in others.
select
    stream_seq,
    arrayFilter(name -> name != '', [${differences}]) as names
from (
    select stream_seq, 1 as side, SHA256(raw) as digest, ${hashed_columns}
    from ${table}
    where stream = {stream:String} and stream_seq between {first:UInt64} and {last:UInt64}
    union all
    select stream_seq, 2 as side, raw as digest, ${hashed_columns}
    from ${scratch}.wide
)
group by stream_seq
having min(side) != max(side) and min(digest) = max(digest) and notEmpty(names)
order by stream_seq
limit {limit:UInt64}
