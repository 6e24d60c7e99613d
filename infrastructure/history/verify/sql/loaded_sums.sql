-- As `stored_sums`, of what was loaded.
select sum(row_count) as row_count, sum(first) as first, sum(second) as second
from ${scratch}.digests
where of_stream = {stream:String} and first_seq between {first:UInt64} and {last:UInt64}
