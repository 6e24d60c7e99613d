import base64
import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from infrastructure.intake.errors import OtlpDecodeError
from infrastructure.intake.otlp_json import parse_json

DATA = Path(__file__).parents[2] / "data" / "otlp"
TRACE = bytes(range(16))
SPAN = bytes(range(8, 16))


def _request(**span: Any) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()


def _span(body: bytes) -> Any:
    return parse_json(body).resource_spans[0].scope_spans[0].spans[0]


def test_json_of_the_specification_reads_as_its_protobuf() -> None:
    recorded = ExportTraceServiceRequest.FromString(
        (DATA / "openai_v2_0001_traces.pb").read_bytes()
    )
    assert parse_json((DATA / "openai_v2_0001_traces.json").read_bytes()) == recorded


def test_plain_protobuf_json_reads_as_its_protobuf() -> None:
    recorded = ExportTraceServiceRequest.FromString(
        (DATA / "openai_v2_0001_traces.pb").read_bytes()
    )
    for keeps_names in (True, False):
        text = json_format.MessageToJson(recorded, preserving_proto_field_name=keeps_names)
        assert parse_json(text.encode()) == recorded


def test_export_of_tempo_is_read() -> None:
    request = parse_json((DATA / "agentevals_tempo_export_with_batches.json").read_bytes())
    spans = [s for r in request.resource_spans for c in r.scope_spans for s in c.spans]
    assert len(spans) == 86
    assert {len(span.trace_id) for span in spans} == {16}
    assert {len(span.span_id) for span in spans} == {8}


@pytest.mark.parametrize(
    "encode", [bytes.hex, lambda raw: raw.hex().upper(), lambda raw: base64.b64encode(raw).decode()]
)
def test_ids_are_read_from_hex_and_from_base64(encode: Any) -> None:
    span = _span(
        _request(
            traceId=encode(TRACE),
            spanId=encode(SPAN),
            parentSpanId=encode(SPAN),
            links=[{"traceId": encode(TRACE), "spanId": encode(SPAN)}],
        )
    )
    assert (span.trace_id, span.span_id, span.parent_span_id) == (TRACE, SPAN, SPAN)
    assert (span.links[0].trace_id, span.links[0].span_id) == (TRACE, SPAN)


@pytest.mark.parametrize("number", ["1700000000000000123", 1700000000000000123])
def test_64_bit_integers_are_read_from_strings_and_numbers(number: object) -> None:
    span = _span(
        _request(startTimeUnixNano=number, attributes=[{"key": "n", "value": {"intValue": number}}])
    )
    assert span.start_time_unix_nano == 1700000000000000123
    assert span.attributes[0].value.int_value == 1700000000000000123


@pytest.mark.parametrize("kind", [3, "SPAN_KIND_CLIENT"])
def test_enums_are_read_from_numbers_and_names(kind: object) -> None:
    assert _span(_request(kind=kind)).kind == 3


def test_what_is_unknown_is_passed_over() -> None:
    assert _span(_request(name="a", someFieldOfTomorrow={"x": [1]})).name == "a"


def test_attribute_named_like_an_id_keeps_its_value() -> None:
    value = {"key": "traceId", "value": {"stringValue": TRACE.hex()}}
    assert _span(_request(attributes=[value])).attributes[0].value.string_value == TRACE.hex()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"null",
        b'{"resourceSpans": 1}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": "x"}]}]}]}',
        b'{"resourceSpans": ' + b"[" * 100_000,
        b"\xff\xfe\x00",
    ],
)
def test_malformed_body_is_an_error_with_its_reason(body: bytes) -> None:
    with pytest.raises(OtlpDecodeError):
        parse_json(body)
