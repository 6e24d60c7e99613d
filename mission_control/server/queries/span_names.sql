-- The names of spans, by trace and span; those that still go on are not there yet.
select TraceId as trace_id, SpanId as span_id, any(SpanName) as name
from swarm.spans
where TraceId in {traces:Array(String)} and SpanId in {spans:Array(String)}
group by trace_id, span_id
