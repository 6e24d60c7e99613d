"""Takes secrets out of what exporters send, as the SDK does with its own spans; pure.

Text is looked at: names, status messages, and values of attributes, those inside of lists and maps
too. Ids, times, numbers and bytes stay as they are.
"""

from collections.abc import Iterable

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from nervous_system.telemetry.redaction import redact, redact_named


def redact_request(request: ExportTraceServiceRequest) -> int:
    """Replace every secret in a request, in place; return how many there were."""
    counts: dict[str, int] = {}
    for resource in request.resource_spans:
        _redact_attributes(resource.resource.attributes, counts)
        for scope in resource.scope_spans:
            _redact_attributes(scope.scope.attributes, counts)
            for span in scope.spans:
                _redact_span(span, counts)
    return sum(counts.values())


def _redact_span(span: Span, counts: dict[str, int]) -> None:
    span.name = redact(span.name, counts)
    _redact_attributes(span.attributes, counts)
    if span.status.message:
        span.status.message = redact(span.status.message, counts)
    for event in span.events:
        event.name = redact(event.name, counts)
        _redact_attributes(event.attributes, counts)
    for link in span.links:
        _redact_attributes(link.attributes, counts)


def _redact_attributes(pairs: Iterable[KeyValue], counts: dict[str, int]) -> None:
    for pair in pairs:
        _redact_value(pair.key, pair.value, counts)


def _redact_value(name: str, value: AnyValue, counts: dict[str, int]) -> None:
    """Redact a value under its name; what lies in a list goes by the name of the list."""
    kind = value.WhichOneof("value")
    if kind == "string_value":
        value.string_value = redact_named(name, value.string_value, counts)
    elif kind == "array_value":
        for item in value.array_value.values:
            _redact_value(name, item, counts)
    elif kind == "kvlist_value":
        _redact_attributes(value.kvlist_value.values, counts)
