import json
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from infrastructure.intake.config import IntakeConfig
from infrastructure.intake.shard import PARTITION_MESSAGES, cut_batches
from infrastructure.intake.spans import (
    MAX_MESSAGE_BYTES,
    MAX_SPAN_BYTES,
    accept,
    encode_rows,
    message_rows,
)
from tests.support.spans import spans_of

DATA = Path(__file__).parents[2] / "data" / "otlp"


def _span(name: str = "work", number: int = 1) -> Span:
    return Span(name=name, trace_id=b"t" * 16, span_id=number.to_bytes(8, "big"))


def _request(*spans: Span) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.extend(spans)
    return request


def _message(*spans: Span) -> bytes:
    return _request(*spans).SerializeToString()


def test_every_span_of_a_request_is_in_exactly_one_message() -> None:
    spans = [_span("x" * 1000, number) for number in range(1, 4001)]
    accepted = accept(_request(*spans))
    assert list(spans_of(accepted.messages)) == spans
    assert len(accepted.messages) > 1
    assert max(map(len, accepted.messages)) < 2 * MAX_MESSAGE_BYTES


def test_resource_and_scope_travel_with_their_spans() -> None:
    request = ExportTraceServiceRequest.FromString((DATA / "openai_v2_0001_traces.pb").read_bytes())
    [message] = accept(request).messages
    assert TracesData.FromString(message).resource_spans == request.resource_spans


def test_unusable_span_is_rejected_and_its_neighbours_stay() -> None:
    wrong = [
        Span(name="short", trace_id=b"t" * 15, span_id=b"s" * 8),
        Span(name="zero", trace_id=bytes(16), span_id=b"s" * 8),
        Span(name="no id", trace_id=b"t" * 16),
        _span("x" * (MAX_SPAN_BYTES + 1)),
    ]
    accepted = accept(_request(_span("first"), *wrong, _span("last")))
    assert [span.name for span in spans_of(accepted.messages)] == ["first", "last"]
    assert (accepted.span_count, accepted.rejected_count) == (2, 4)
    assert "trace id" in accepted.reason


KEY = "sk-ant-api03-abcdefghijklmnopqrstu"


def _leaking_request() -> ExportTraceServiceRequest:
    """A key in every place of a span where text about the work can be."""
    span = _span(f"call {KEY}")
    span.status.message = f"refused: {KEY}"
    inner = AnyValue(array_value=ArrayValue(values=[AnyValue(string_value=f"x {KEY}")]))
    nested = KeyValueList(values=[KeyValue(key="list", value=inner)])
    values = [
        KeyValue(key="prompt", value=AnyValue(string_value=f"use {KEY}")),
        KeyValue(key="map", value=AnyValue(kvlist_value=nested)),
        KeyValue(key="db.password", value=AnyValue(string_value="hunter")),
        KeyValue(key="gen_ai.usage.input_tokens", value=AnyValue(int_value=4096)),
    ]
    span.attributes.extend(values)
    span.events.add(name=f"event {KEY}").attributes.extend(values)
    span.links.add(trace_id=b"t" * 16, span_id=b"s" * 8).attributes.extend(values)
    request = _request(span)
    request.resource_spans[0].resource.attributes.extend(values)
    request.resource_spans[0].scope_spans[0].scope.attributes.extend(values)
    return request


def test_secrets_are_taken_out_of_every_text_of_a_span() -> None:
    accepted = accept(_leaking_request())
    [message] = accepted.messages
    assert KEY.encode() not in message
    assert b"hunter" not in message
    [span] = spans_of([message])
    assert span.name == "call [redacted:anthropic_key]"
    assert span.attributes[3].value.int_value == 4096
    assert accepted.redacted_count == 3 + 5 * 3


def test_redaction_can_be_switched_off() -> None:
    request = _leaking_request()
    [message] = accept(request, is_redacting=False).messages
    assert message.count(KEY.encode()) == 3 + 5 * 2
    settings = {"SWARM_REDACT": "0", "SWARM_CLICKHOUSE_DSN": "http://u:p@127.0.0.1:1/swarm"}
    assert not IntakeConfig.from_env(settings).is_redacting
    assert IntakeConfig.from_env({**settings, "SWARM_REDACT": "1"}).is_redacting


def test_request_without_spans_publishes_nothing() -> None:
    assert accept(ExportTraceServiceRequest()).messages == []


def test_row_has_the_names_of_the_collectors_exporter() -> None:
    span = _span()
    span.kind = Span.SPAN_KIND_CLIENT
    span.status.code = 2  # type: ignore[assignment]
    span.start_time_unix_nano = 1_000
    span.end_time_unix_nano = 3_500
    [row] = message_rows(_message(span))
    assert (row["SpanKind"], row["StatusCode"], row["Duration"]) == ("Client", "Error", 2_500)
    assert row["TraceId"] == (b"t" * 16).hex()


def test_span_that_ends_before_it_starts_lasts_no_time() -> None:
    span = _span()
    span.start_time_unix_nano = 5
    [row] = message_rows(_message(span))
    assert row["Duration"] == 0


def test_unknown_kind_reads_unspecified() -> None:
    span = _span()
    span.kind = 99  # type: ignore[assignment]
    [row] = message_rows(_message(span))
    assert row["SpanKind"] == "Unspecified"


def test_attribute_values_become_text() -> None:
    span = _span()
    nested = KeyValueList(values=[KeyValue(key="k", value=AnyValue(bool_value=True))])
    values = {
        "text": (AnyValue(string_value='a"b'), 'a"b'),
        "yes": (AnyValue(bool_value=True), "true"),
        "whole": (AnyValue(int_value=-5), "-5"),
        "part": (AnyValue(double_value=0.5), "0.5"),
        "bytes": (AnyValue(bytes_value=b"\x00\xff"), "AP8="),
        "list": (AnyValue(array_value=ArrayValue(values=[AnyValue(int_value=1)])), "[1]"),
        "map": (AnyValue(kvlist_value=nested), '{"k":true}'),
        "none": (AnyValue(), ""),
    }
    span.attributes.extend(KeyValue(key=key, value=value) for key, (value, _) in values.items())
    [row] = message_rows(_message(span))
    assert row["SpanAttributes"] == {key: text for key, (_, text) in values.items()}


def test_message_that_is_no_span_is_one_row_with_the_reason() -> None:
    for payload in (b"\xff\xff", b"", b"nonsense"):
        [row] = message_rows(payload)
        assert row["undecodable_reason"]


def test_rows_carry_where_they_come_from() -> None:
    messages = [(7, _message(_span("a"), _span("b", 2))), (9, b"\xff")]
    rows = [json.loads(line) for line in encode_rows("S", messages, 5).splitlines()]
    assert [(row["stream_seq"], row["prev_seq"], row["stream"]) for row in rows] == [
        (7, 5, "S"),
        (7, 5, "S"),
        (9, 5, "S"),
    ]


def test_batches_end_where_partitions_do() -> None:
    edge = PARTITION_MESSAGES
    messages = [(edge - 1, b""), (edge, b""), (edge + 1, b""), (3 * edge, b"")]
    assert [batch.last for batch in cut_batches(messages)] == [edge - 1, edge + 1, 3 * edge]
