-- From when to when a run lasted, as far as events say; no rows for a run without events.
select
    toUnixTimestamp64Nano(min(event_time)) as start_ns, toUnixTimestamp64Nano(max(event_time)) as end_ns, count() as events
from swarm.events
where run_id = {run:String} and not is_repeated
having events > 0
