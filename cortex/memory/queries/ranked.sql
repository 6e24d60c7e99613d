-- The texts with the words that are worth most, the newest first among equals.
select stream, stream_seq as sequence, sum(weight) as score
from (
${branches}
)
group by stream, stream_seq
order by score desc, stream_seq desc
limit {limit:UInt32}
