-- Whether the head at this sequence is kept already.
select count() as kept
from swarm.pruned_heads
where stream = {stream:String} and last_seq = {last_seq:UInt64} and head = {head:String}
