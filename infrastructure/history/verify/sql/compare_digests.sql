-- One hash over every column that follows from the message, an unrelated one over all text: whoever can make one
-- collide would have to make both collide at once. Numbers cannot collide on their own. Rows differ when a sum does.
select
    (
        select tuple(sum(row_count), sum(first), sum(second))
        from ${scratch}.digests
        where of_stream = {stream:String} and first_seq between {first:UInt64} and {last:UInt64}
    )
    = (
        select tuple(count(), sum(cityHash64(${key}, ${stored_columns})), sum(xxh3(${key}, ${stored_texts})))
        from ${table}
        where stream = {stream:String} and stream_seq between {first:UInt64} and {last:UInt64}
    ) as is_equal
