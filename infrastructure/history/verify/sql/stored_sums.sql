-- One hash over every column that follows from the message, an unrelated one over all text: whoever can make one
-- collide would have to make both collide at once. Numbers cannot collide on their own. Rows differ when a sum does.
select
    count() as row_count,
    sum(cityHash64(${key}, ${stored_columns})) as first,
    sum(xxh3(${key}, ${stored_texts})) as second
from ${table}
where stream = {stream:String} and stream_seq between {first:UInt64} and {last:UInt64}
