-- One row for each block: comparing adds them up, and so does this.
create materialized view ${scratch}.digest to ${scratch}.digests as
select
    any(stream) as of_stream,
    min(stream_seq) as first_seq,
    count() as row_count,
    sum(cityHash64(${key}, ${columns})) as first,
    sum(xxh3(${key}, ${texts})) as second
from ${scratch}.decoded
having row_count > 0
