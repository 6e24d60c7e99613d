"""OTLP's JSON, in the dialects that are met, into the protobuf message; pure.

The specification wants ids as hex digits, enums as numbers and 64-bit integers as strings. Plain
protobuf JSON has ids in base64 and enums by name; some exporters write 64-bit integers as numbers;
older ones say `instrumentationLibrarySpans`; an export of Grafana Tempo calls the list `batches`.
All of these are read. What is unknown is passed over, as the specification demands.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from infrastructure.intake.errors import OtlpDecodeError

_RENAMED = {
    "batches": "resourceSpans",
    "instrumentationLibrarySpans": "scopeSpans",
    "instrumentation_library_spans": "scopeSpans",
    "instrumentationLibrary": "scope",
    "instrumentation_library": "scope",
}
_IDS = {
    "traceId": 16,
    "trace_id": 16,
    "spanId": 8,
    "span_id": 8,
    "parentSpanId": 8,
    "parent_span_id": 8,
}
"""Fields that hold an id, and how many bytes it has."""
_VALUES = frozenset({"attributes", "body", "value"})
"""What is below these is the sender's own; a key `traceId` there is no id."""


def parse_json(body: bytes | bytearray) -> ExportTraceServiceRequest:
    """Return the request that `body` describes.

    Raises:
        OtlpDecodeError: it is not JSON, or not of that form.
    """
    try:
        value = json.loads(body)
        if not isinstance(value, dict):
            raise OtlpDecodeError(reason="the body is not a JSON object")
        return json_format.ParseDict(
            _normal(value), ExportTraceServiceRequest(), ignore_unknown_fields=True
        )
    except (ValueError, RecursionError, json_format.ParseError) as error:
        raise OtlpDecodeError(reason=_first_line(error)) from error


def _normal(value: Any) -> Any:
    if isinstance(value, list):
        return [_normal(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {_RENAMED.get(key, key): _member(key, member) for key, member in value.items()}


def _member(key: str, member: Any) -> Any:
    if key in _IDS and isinstance(member, str):
        return _base64_id(member, _IDS[key])
    return member if key in _VALUES else _normal(member)


def _base64_id(text: str, size: int) -> str:
    """Return an id in base64, from hex digits or from base64; anything else stays wrong."""
    if len(text) == 2 * size:
        try:
            return base64.b64encode(binascii.unhexlify(text)).decode()
        except ValueError:
            return text
    return text


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:300]


def describe(message: Mapping[str, Any]) -> bytes:
    """Return an answer as JSON."""
    return json.dumps(message, separators=(",", ":")).encode()
