-- When the first event of each span happened.
select trace_id, span_id, toUnixTimestamp64Nano(min(event_time)) as since_ns
from swarm.events
where trace_id in {traces:Array(String)} and span_id in {spans:Array(String)} and not is_repeated
group by trace_id, span_id
