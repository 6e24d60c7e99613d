"""Spans around an agent's work, named and labelled by OpenTelemetry's GenAI conventions.

Works against OpenTelemetry's API alone. Where no provider records spans, ids are still made and
handed down, so that the events of one span stay together in history; they then refer to spans that
nobody exported.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from os import urandom
from traceback import format_exception

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    TraceState,
)

from nervous_system.telemetry.linking import Link, format_traceparent
from nervous_system.telemetry.redaction import redact, redact_named

AGENT_ID = "gen_ai.agent.id"
AGENT_NAME = "gen_ai.agent.name"
CONVERSATION_ID = "gen_ai.conversation.id"
OPERATION_NAME = "gen_ai.operation.name"
TOOL_NAME = "gen_ai.tool.name"
TOOL_CALL_ID = "gen_ai.tool.call.id"
ERROR_TYPE = "error.type"
INVOKE_AGENT = "invoke_agent"
EXECUTE_TOOL = "execute_tool"
TRACER_NAME = "nervous_system"

AttributeValue = str | bool | int | float

current_causes: ContextVar[tuple[str, ...]] = ContextVar("current_causes", default=())
"""Causes of the work that the present span was opened for; events name them unless told others."""


class Current:
    """Ids of the span that is active in the caller's context, with the strings made once a span."""

    __slots__ = ("_context", "span_id", "trace_id", "traceparent")

    def __init__(self) -> None:
        self._context: SpanContext | None = None
        self.trace_id = ""
        self.span_id = ""
        self.traceparent = ""

    def refresh(self) -> bool:
        """Look at the caller's context; True inside a span. The ids are then those of that span."""
        context = trace.get_current_span().get_span_context()
        if context is not self._context:
            self._read(context)
        return self.trace_id != ""

    def _read(self, context: SpanContext) -> None:
        self._context = context
        self.trace_id = f"{context.trace_id:032x}" if context.is_valid else ""
        self.span_id = f"{context.span_id:016x}" if context.is_valid else ""
        self.traceparent = format_traceparent(self.trace_id, self.span_id, context.trace_flags)


@contextmanager
def open_span(
    tracer: Tracer | None,
    name: str,
    attributes: Mapping[str, AttributeValue],
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    parent: Link | None = None,
) -> Iterator[Span]:
    """Run a block inside a new span; secrets are taken out of its name and attributes.

    Args:
        tracer: makes the span; None: only ids are made.
        name: of the span.
        attributes: labels by their conventional names.
        kind: whether the work is done here or elsewhere.
        parent: where the work comes from, before what is active in the caller's context.
    """
    context = None
    if parent is not None and parent.is_traced:
        context = trace.set_span_in_context(NonRecordingSpan(_span_context(parent)))
    span = _start(tracer, redact(name, {}), _clean(attributes), kind, context)
    causes = current_causes.set(parent.caused_by) if parent is not None else None
    try:
        with trace.use_span(
            span, end_on_exit=True, record_exception=False, set_status_on_exception=False
        ):
            try:
                yield span
            except Exception as error:
                _record(span, error)
                raise
    finally:
        if causes is not None:
            current_causes.reset(causes)


def is_inside() -> bool:
    """Whether a span is active in the caller's context."""
    return trace.get_current_span().get_span_context().is_valid


def current_link(causes: tuple[str, ...], run_id: str) -> Link:
    """Return the link that work handed over now should carry."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return Link(caused_by=causes, run_id=run_id)
    return Link(
        trace_id=f"{context.trace_id:032x}",
        span_id=f"{context.span_id:016x}",
        flags=int(context.trace_flags),
        tracestate=context.trace_state.to_header(),
        caused_by=causes,
        run_id=run_id,
    )


def _record(span: Span, error: Exception) -> None:
    """Record an error as the API does, without the secrets that messages and tracebacks hold."""
    if not span.is_recording():
        return
    name = type(error).__qualname__
    message = redact(str(error), {})
    span.set_attribute(ERROR_TYPE, name)
    span.add_event(
        "exception",
        {
            "exception.type": name,
            "exception.message": message,
            "exception.stacktrace": redact("".join(format_exception(error)), {}),
        },
    )
    span.set_status(Status(StatusCode.ERROR, f"{name}: {message}"))


def _start(
    tracer: Tracer | None,
    name: str,
    attributes: Mapping[str, AttributeValue],
    kind: SpanKind,
    context: otel_context.Context | None,
) -> Span:
    if tracer is not None:
        span = tracer.start_span(name, context=context, kind=kind, attributes=attributes)
        if span.get_span_context().is_valid:
            return span
    above = trace.get_current_span(context).get_span_context()
    return NonRecordingSpan(
        SpanContext(
            trace_id=above.trace_id if above.is_valid else int.from_bytes(urandom(16), "big"),
            span_id=int.from_bytes(urandom(8), "big"),
            is_remote=False,
            trace_flags=above.trace_flags if above.is_valid else TraceFlags(0),
            trace_state=above.trace_state if above.is_valid else None,
        )
    )


def _span_context(link: Link) -> SpanContext:
    return SpanContext(
        trace_id=int(link.trace_id, 16),
        span_id=int(link.span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(link.flags),
        trace_state=TraceState.from_header([link.tracestate]) if link.tracestate else None,
    )


def _clean(attributes: Mapping[str, AttributeValue]) -> dict[str, AttributeValue]:
    return {
        name: redact_named(name, value, {}) if isinstance(value, str) else value
        for name, value in attributes.items()
    }
