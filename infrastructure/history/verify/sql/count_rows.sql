select count() as row_count, uniqExact(stream_seq) as sequences
from ${table}
where stream = {stream:String} and stream_seq between {first:UInt64} and {last:UInt64}
