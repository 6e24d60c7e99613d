-- The spans of a trace, in the order of their start.
select
    SpanId as span_id, ParentSpanId as parent_span_id, SpanName as name, ServiceName as service, SpanKind as kind,
    toString(toUnixTimestamp64Nano(Timestamp)) as start_ns, Duration as duration_ns, StatusCode as status,
    StatusMessage as status_message, SpanAttributes as attributes,
    arrayMap(at -> toString(toUnixTimestamp64Nano(at)), `Events.Timestamp`) as event_times,
    `Events.Name` as event_names, `Events.Attributes` as event_attributes
from swarm.spans
where TraceId = {trace:String} and undecodable_reason = ''
order by Timestamp, stream, stream_seq
limit 1 by span_id
limit {limit:UInt64}
