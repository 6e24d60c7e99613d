select stream_seq, subject, SHA256(raw) as digest
from ${table}
where stream = {stream:String} and stream_seq between {first:UInt64} and {last:UInt64}
order by stream_seq
