-- Two unrelated hashes over every column that follows from the message: rows differ when a sum does.
select
    (select tuple(count(), sum(first), sum(second)) from ${scratch}.digests)
    = (
        select tuple(count(), sum(cityHash64(${key}, ${columns})), sum(xxh3(${key}, ${columns})))
        from ${table}
        where stream = {stream:String} and stream_seq between {first:UInt64} and {last:UInt64}
    ) as is_equal
