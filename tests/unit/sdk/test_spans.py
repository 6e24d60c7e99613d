import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Tracer

from nervous_system.telemetry import spans
from nervous_system.telemetry.linking import Link

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
CAUSE = "01939f2c-7b1e-7c3a-9d52-0a6f3f7be000"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(exporter: InMemorySpanExporter) -> Tracer:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider.get_tracer("test")


def test_ids_are_made_and_handed_down_without_any_tracer() -> None:
    outer, inner = spans.Current(), spans.Current()
    with spans.open_span(None, "outer", {}):
        assert outer.refresh()
        with spans.open_span(None, "inner", {}):
            assert inner.refresh()
    assert inner.trace_id == outer.trace_id
    assert inner.span_id != outer.span_id
    assert not outer.refresh()


def test_ids_are_those_of_the_exported_span(tracer: Tracer, exporter: InMemorySpanExporter) -> None:
    current = spans.Current()
    with spans.open_span(tracer, "work", {"a": 1}):
        current.refresh()
    (span,) = exporter.get_finished_spans()
    assert span.context is not None
    assert current.trace_id == f"{span.context.trace_id:032x}"
    assert current.span_id == f"{span.context.span_id:016x}"
    flags = int(span.context.trace_flags)
    assert current.traceparent == f"00-{current.trace_id}-{current.span_id}-{flags:02x}"


def test_span_goes_on_where_a_link_comes_from(
    tracer: Tracer, exporter: InMemorySpanExporter
) -> None:
    link = Link(trace_id=TRACE, span_id=SPAN, tracestate="a=b", caused_by=(CAUSE,))
    with spans.open_span(tracer, "work", {}, parent=link):
        assert spans.current_causes.get() == (CAUSE,)
    (span,) = exporter.get_finished_spans()
    assert span.parent is not None
    assert (f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, SPAN)
    assert spans.current_causes.get() == ()


def test_error_is_recorded_and_goes_on(tracer: Tracer, exporter: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError), spans.open_span(tracer, "work", {}):
        raise ValueError("no: password=hunter2")
    (span,) = exporter.get_finished_spans()
    assert "hunter2" not in span.to_json()
    assert span.events[0].attributes is not None
    assert span.events[0].attributes["exception.type"] == "ValueError"
    assert span.attributes is not None
    assert span.attributes[spans.ERROR_TYPE] == "ValueError"
    assert not span.status.is_ok


def test_secrets_reach_neither_name_nor_attributes(
    tracer: Tracer, exporter: InMemorySpanExporter
) -> None:
    with spans.open_span(tracer, "login password=hunter2", {"api_key": "abcdef", "n": 3}):
        pass
    (span,) = exporter.get_finished_spans()
    assert span.name == "login password=[redacted:assigned_secret]"
    assert span.attributes == {"api_key": "[redacted:named_value]", "n": 3}


def test_link_of_the_present_work_names_the_active_span(tracer: Tracer) -> None:
    with spans.open_span(tracer, "work", {}) as span:
        link = spans.current_link((CAUSE,), "r1")
        context = span.get_span_context()
    assert link.span_id == f"{context.span_id:016x}"
    assert (link.caused_by, link.run_id, link.flags & 1) == ((CAUSE,), "r1", 1)
    assert not trace.get_current_span().get_span_context().is_valid


def test_link_outside_a_span_carries_causes_and_run_only() -> None:
    link = spans.current_link((CAUSE,), "r1")
    assert (link.is_traced, link.caused_by) == (False, (CAUSE,))
