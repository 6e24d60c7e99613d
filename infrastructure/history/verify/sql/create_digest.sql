create materialized view ${scratch}.digest to ${scratch}.digests as
select
    stream_seq,
    cityHash64(${key}, ${columns}) as first,
    xxh3(${key}, ${texts}) as second
from ${scratch}.decoded
