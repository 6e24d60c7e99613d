"""Whatever is sent as OTLP either reads as spans or is refused with its reason."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from infrastructure.intake.errors import OtlpDecodeError
from infrastructure.intake.otlp_json import parse_json
from infrastructure.intake.spans import accept, encode_rows, message_rows
from tests.support.spans import spans_of

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
KNOWN = st.sampled_from(
    ["resourceSpans", "scopeSpans", "spans", "traceId", "spanId", "kind", "attributes", "events"]
)
TREES = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KNOWN, inner, max_size=4),
    max_leaves=20,
)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    span = Span(
        name=draw(st.text(max_size=20)),
        trace_id=draw(st.binary(min_size=16, max_size=16) | st.binary(max_size=20)),
        span_id=draw(st.binary(min_size=8, max_size=8) | st.binary(max_size=20)),
        start_time_unix_nano=draw(st.integers(0, 2**64 - 1)),
        end_time_unix_nano=draw(st.integers(0, 2**64 - 1)),
    )
    for key, text in draw(st.dictionaries(st.text(), st.text(), max_size=3)).items():
        span.attributes.append(KeyValue(key=key, value=AnyValue(string_value=text)))
    return span


@given(body=st.binary(max_size=300) | TREES.map(lambda tree: json.dumps(tree).encode()))
def test_json_is_read_or_refused(body: bytes) -> None:
    try:
        accepted = accept(parse_json(body))
    except OtlpDecodeError:
        return
    assert accepted.span_count == len(list(spans_of(accepted.messages)))


@given(payload=st.binary(max_size=300))
def test_any_message_of_the_bus_gives_rows(payload: bytes) -> None:
    rows: Any = message_rows(payload)
    assert rows


@settings(max_examples=60)
@given(given_spans=st.lists(spans(), max_size=8))
def test_every_span_is_either_stored_or_counted_as_rejected(given_spans: list[Span]) -> None:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.extend(given_spans)
    accepted = accept(request)
    assert accepted.span_count + accepted.rejected_count == len(given_spans)
    body = encode_rows("S", list(enumerate(accepted.messages, 1)), 0)
    rows = [json.loads(line) for line in body.splitlines()] if body else []
    assert len(rows) == accepted.span_count
    assert all(0 <= row["Duration"] < 2**64 for row in rows)
