-- Heads of ranges that were pruned, oldest first: what the first row that is left links to.
select last_seq, head
from swarm.pruned_heads
where stream = {stream:String}
order by last_seq
