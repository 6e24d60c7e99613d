"""What messages of the bus say about spans."""

from collections.abc import Iterable, Iterator

from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData


def spans_of(payloads: Iterable[bytes]) -> Iterator[Span]:
    """Yield the spans in messages of the bus."""
    for payload in payloads:
        for resource in TracesData.FromString(payload).resource_spans:
            for scope in resource.scope_spans:
                yield from scope.spans
