"""Spans between OTLP, the bus and history; pure.

On the bus a message is an OTLP `TracesData` with one resource, small enough for the bus. In history
it is one row per span.
"""

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, TracesData

from infrastructure.intake.redacting import redact_request

MAX_MESSAGE_BYTES = 1 << 20
"""Spans of one resource are put together up to this size."""
MAX_SPAN_BYTES = 7 << 20
"""A single span larger than this does not fit through the bus."""
REFUSED = "ClickHouse refuses the spans"
_KINDS = ("Unspecified", "Internal", "Server", "Client", "Producer", "Consumer")
_STATUSES = ("Unset", "Ok", "Error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What of a request goes on to the bus."""

    messages: list[bytes]
    """Encoded `TracesData`, each with at least one span."""
    span_count: int
    rejected_count: int
    reason: str
    """Why the first rejected span was rejected; empty: none was."""
    redacted_count: int = 0
    """Secrets that were taken out."""


def accept(request: ExportTraceServiceRequest, *, is_redacting: bool = True) -> Accepted:
    """Return what can be published of a request, span by span.

    Args:
        request: as it was received; secrets in its text are replaced in place.
        is_redacting: False leaves them.
    """
    redacted = redact_request(request) if is_redacting else 0
    messages: list[bytes] = []
    accepted = 0
    reasons: list[str] = []
    for resource in request.resource_spans:
        pieces = _Pieces(resource)
        for scope in resource.scope_spans:
            for span in scope.spans:
                if reason := _defect(span):
                    reasons.append(reason)
                else:
                    pieces.add(scope, span)
                    accepted += 1
        messages.extend(pieces.finish())
    return Accepted(
        messages=messages,
        span_count=accepted,
        rejected_count=len(reasons),
        reason=reasons[0] if reasons else "",
        redacted_count=redacted,
    )


def _defect(span: Span) -> str:
    """Return what makes a span unusable; empty: nothing."""
    if len(span.trace_id) != 16 or not any(span.trace_id):
        return f"span {span.name!r}: the trace id is not 16 bytes with one that is not zero"
    if len(span.span_id) != 8 or not any(span.span_id):
        return f"span {span.name!r}: the span id is not 8 bytes with one that is not zero"
    if span.ByteSize() > MAX_SPAN_BYTES:
        return f"span {span.name!r}: larger than {MAX_SPAN_BYTES} bytes"
    return ""


class _Pieces:
    """Puts the spans of one resource into messages of a bounded size."""

    def __init__(self, resource: ResourceSpans) -> None:
        self._resource = resource
        self._done: list[bytes] = []
        self._size = 0
        self._scope: ScopeSpans | None = None
        self._scope_source: ScopeSpans | None = None
        self._begin()

    def _begin(self) -> None:
        self._message = TracesData()
        self._target = self._message.resource_spans.add(schema_url=self._resource.schema_url)
        self._target.resource.CopyFrom(self._resource.resource)
        self._scope_source = None
        self._size = 0

    def add(self, scope: ScopeSpans, span: Span) -> None:
        size = span.ByteSize()
        if self._size and self._size + size > MAX_MESSAGE_BYTES:
            self._end()
            self._begin()
        if self._scope_source is not scope or self._scope is None:
            self._scope = self._target.scope_spans.add(schema_url=scope.schema_url)
            self._scope.scope.CopyFrom(scope.scope)
            self._scope_source = scope
        self._scope.spans.add().CopyFrom(span)
        self._size += size

    def _end(self) -> None:
        if self._size:
            self._done.append(self._message.SerializeToString())

    def finish(self) -> list[bytes]:
        self._end()
        return self._done


def encode_rows(
    stream: str,
    messages: Iterable[tuple[int, bytes]],
    previous_sequence: int,
    *,
    is_refused: bool = False,
) -> bytes:
    """Return the rows of some messages of the stream as JSON lines for `swarm.spans_input`.

    Args:
        stream: name of the stream.
        messages: sequence and payload of each.
        previous_sequence: highest sequence that history holds; the guard compares it.
        is_refused: the engine does not take what these messages hold; each gives a row that says
            so.
    """
    lines = []
    for sequence, payload in messages:
        place = {"stream": stream, "stream_seq": sequence, "prev_seq": previous_sequence}
        for row in [{"undecodable_reason": REFUSED}] if is_refused else message_rows(payload):
            lines.append(json.dumps({**row, **place}, ensure_ascii=False, separators=(",", ":")))
    return "\n".join(lines).encode()


def message_rows(payload: bytes) -> Sequence[dict[str, Any]]:
    """Return one row per span; a message that is none gives one row that says why."""
    try:
        data = TracesData.FromString(payload)
    except DecodeError as error:
        return [{"undecodable_reason": str(error)[:200] or "not TracesData"}]
    rows = [
        _span_row(resource, scope, span)
        for resource in data.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    return rows or [{"undecodable_reason": "no span inside"}]


def _span_row(resource: ResourceSpans, scope: ScopeSpans, span: Span) -> dict[str, Any]:
    attributes = _attributes(resource.resource.attributes)
    end = max(span.start_time_unix_nano, span.end_time_unix_nano)
    return {
        "Timestamp": span.start_time_unix_nano,
        "TraceId": span.trace_id.hex(),
        "SpanId": span.span_id.hex(),
        "ParentSpanId": span.parent_span_id.hex(),
        "TraceState": span.trace_state,
        "SpanName": span.name,
        "SpanKind": _named(_KINDS, span.kind),
        "ServiceName": attributes.get("service.name", ""),
        "ResourceAttributes": attributes,
        "ScopeName": scope.scope.name,
        "ScopeVersion": scope.scope.version,
        "SpanAttributes": _attributes(span.attributes),
        "Duration": end - span.start_time_unix_nano,
        "StatusCode": _named(_STATUSES, span.status.code),
        "StatusMessage": span.status.message,
        "EventTimes": [event.time_unix_nano for event in span.events],
        "EventNames": [event.name for event in span.events],
        "EventAttributes": [_attributes(event.attributes) for event in span.events],
        "LinkTraceIds": [link.trace_id.hex() for link in span.links],
        "LinkSpanIds": [link.span_id.hex() for link in span.links],
        "LinkTraceStates": [link.trace_state for link in span.links],
        "LinkAttributes": [_attributes(link.attributes) for link in span.links],
    }


def _named(names: Sequence[str], number: int) -> str:
    return names[number] if 0 <= number < len(names) else names[0]


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, str]:
    return {pair.key: _text(pair.value) for pair in pairs}


def _text(value: AnyValue) -> str:
    """Return a value as text: strings as they are, lists and maps as JSON."""
    plain = _plain(value)
    if isinstance(plain, str):
        return plain
    return "" if plain is None else json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def _plain(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [_plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: _plain(pair.value) for pair in value.kvlist_value.values}
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    return getattr(value, kind)
