-- Digests of the contents that events up to a sequence refer to.
select distinct arrayJoin([previous_state_hash, new_state_hash, manifest_digest]) as digest
from swarm.events
where stream = {stream:String} and stream_seq <= {last:UInt64} and digest != ''
order by digest
