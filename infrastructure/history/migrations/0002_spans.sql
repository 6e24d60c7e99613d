-- OpenTelemetry spans: the columns of the collector's ClickHouse exporter, so that its users' queries work here, and
-- where in the stream each came from. One message of the stream is one or several rows; all of them enter in one block.

create table if not exists swarm.spans${on_cluster}
(
    Timestamp DateTime64(9, 'UTC') comment 'start' codec(Delta, ZSTD(1)),
    TraceId String comment '32 hex digits' codec(ZSTD(1)),
    SpanId String comment '16 hex digits' codec(ZSTD(1)),
    ParentSpanId String comment 'empty: the root of its trace' codec(ZSTD(1)),
    TraceState String codec(ZSTD(1)),
    SpanName LowCardinality(String) codec(ZSTD(1)),
    SpanKind LowCardinality(String) comment 'Unspecified, Internal, Server, Client, Producer, Consumer' codec(ZSTD(1)),
    ServiceName LowCardinality(String) comment 'service.name of the resource' codec(ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) codec(ZSTD(1)),
    ScopeName String codec(ZSTD(1)),
    ScopeVersion String codec(ZSTD(1)),
    SpanAttributes Map(LowCardinality(String), String) comment 'arrays and maps as JSON' codec(ZSTD(1)),
    Duration UInt64 comment 'nanoseconds' codec(ZSTD(1)),
    StatusCode LowCardinality(String) comment 'Unset, Ok, Error' codec(ZSTD(1)),
    StatusMessage String codec(ZSTD(1)),
    Events Nested
    (
        Timestamp DateTime64(9, 'UTC'),
        Name LowCardinality(String),
        Attributes Map(LowCardinality(String), String)
    ) codec(ZSTD(1)),
    Links Nested
    (
        TraceId String,
        SpanId String,
        TraceState String,
        Attributes Map(LowCardinality(String), String)
    ) codec(ZSTD(1)),
    stream LowCardinality(String) comment 'name of the stream',
    stream_seq UInt64 comment 'position in the stream, from 1; spans of one message share it' codec(Delta, ZSTD(1)),
    undecodable_reason LowCardinality(String) comment 'why the message is no span; its row holds nothing else',

    index by_trace TraceId type bloom_filter(0.001) granularity 1,
    index by_attribute_key mapKeys(SpanAttributes) type bloom_filter(0.01) granularity 1,
    index by_attribute_value mapValues(SpanAttributes) type bloom_filter(0.01) granularity 1,
    index by_duration Duration type minmax granularity 1
)
engine = ${mergetree}
partition by (stream, intDiv(stream_seq, 1000000))
order by (stream, stream_seq)
settings ${mergetree_settings}, min_bytes_for_wide_part = 536870912;

create table if not exists swarm.spans_input${on_cluster}
(
    Timestamp UInt64 comment 'nanoseconds',
    TraceId String,
    SpanId String,
    ParentSpanId String,
    TraceState String,
    SpanName String,
    SpanKind String,
    ServiceName String,
    ResourceAttributes Map(String, String),
    ScopeName String,
    ScopeVersion String,
    SpanAttributes Map(String, String),
    Duration UInt64,
    StatusCode String,
    StatusMessage String,
    EventTimes Array(UInt64),
    EventNames Array(String),
    EventAttributes Array(Map(String, String)),
    LinkTraceIds Array(String),
    LinkSpanIds Array(String),
    LinkTraceStates Array(String),
    LinkAttributes Array(Map(String, String)),
    stream String,
    stream_seq UInt64,
    prev_seq UInt64 comment 'highest sequence that the writer saw',
    undecodable_reason String
)
engine = Null;

create materialized view if not exists swarm.spans_append${on_cluster} to swarm.spans as
select
    -- What DateTime64(9) holds ends on 2262-04-11; beyond it would wrap in silence.
    fromUnixTimestamp64Nano(toInt64(least(Timestamp, 9223372035999999999)), 'UTC') as Timestamp,
    TraceId,
    SpanId,
    ParentSpanId,
    TraceState,
    SpanName,
    SpanKind,
    ServiceName,
    ResourceAttributes,
    ScopeName,
    ScopeVersion,
    SpanAttributes,
    Duration,
    StatusCode,
    StatusMessage,
    arrayMap(t -> fromUnixTimestamp64Nano(toInt64(least(t, 9223372035999999999)), 'UTC'), EventTimes) as `Events.Timestamp`,
    EventNames as `Events.Name`,
    EventAttributes as `Events.Attributes`,
    LinkTraceIds as `Links.TraceId`,
    LinkSpanIds as `Links.SpanId`,
    LinkTraceStates as `Links.TraceState`,
    LinkAttributes as `Links.Attributes`,
    stream,
    stream_seq,
    undecodable_reason
from swarm.spans_input
-- The guard, as for events.
where not throwIf(
    prev_seq != (
        select mapFromArrays(groupArray(toString(stream)), groupArray(highest))
        from (select stream, max(stream_seq) as highest from swarm.spans group by stream)
    )[stream],
    'STALE'
);

create view if not exists swarm.traces${on_cluster} as
select
    TraceId as trace_id,
    min(Timestamp) as started_at,
    max(Timestamp + toIntervalNanosecond(Duration)) as ended_at,
    argMin(SpanName, (ParentSpanId != '', Timestamp)) as root_name,
    any(ServiceName) as service_name,
    count() as spans,
    countIf(StatusCode = 'Error') as errors
from swarm.spans
where undecodable_reason = ''
group by TraceId;
