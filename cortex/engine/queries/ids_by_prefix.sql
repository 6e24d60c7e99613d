-- Event ids that begin with a text; a few are enough to say that it is not unique.
select distinct toString(event_id) as id
from swarm.events
where startsWith(toString(event_id), {prefix:String})
limit 3
