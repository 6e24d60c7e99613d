"""One trace: spans, and the events that happened in them."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from cortex.errors import NotRecordedError
from mission_control.server.archive import Archive
from mission_control.server.events import event_row
from mission_control.server.models import Span, SpanEvent, Trace

MAX_SPANS = 10_000
MAX_EVENTS = 5_000
_COLUMNS = (
    *("span_id", "parent_span_id", "name", "service", "kind", "start_ns", "duration_ns"),
    *("status", "status_message", "attributes"),
)


def one_trace(archive: Archive, trace_id: str, jaeger_url: str | None) -> Trace:
    """Return a trace.

    Raises:
        NotRecordedError: no span and no event is of it.
        HistoryError: history cannot be asked.
    """
    spans = archive.rows("trace_spans", trace=trace_id, limit=MAX_SPANS + 1)
    events = archive.rows("trace_events", trace=trace_id, limit=MAX_EVENTS + 1)
    if not spans and not events:
        raise NotRecordedError(subject=f"trace {trace_id}", reason="no span or event is of it")
    return Trace(
        trace_id=trace_id,
        spans=[_span(row) for row in spans[:MAX_SPANS]],
        events=[event_row(row) for row in events[:MAX_EVENTS]],
        truncated=len(spans) > MAX_SPANS or len(events) > MAX_EVENTS,
        jaeger_url=f"{jaeger_url.rstrip('/')}/trace/{quote(trace_id)}" if jaeger_url else None,
    )


def _span(row: Mapping[str, Any]) -> Span:
    points = zip(row["event_times"], row["event_names"], row["event_attributes"], strict=True)
    return Span(
        **{name: row[name] for name in _COLUMNS},
        events=[
            SpanEvent(at_ns=at, name=name, attributes=attributes) for at, name, attributes in points
        ],
    )
