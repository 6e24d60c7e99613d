"""Sets tracing up: which provider makes spans and where they are exported to.

The only module that touches OpenTelemetry's SDK, imported when spans have somewhere to go. A
provider that the program has set already is used as it is; ours is never made the global one.
"""

import logging
from typing import TYPE_CHECKING

from opentelemetry import trace

from nervous_system.config import SpanExport, TelemetryConfig

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

logger = logging.getLogger(__name__)

TRACES_PATH = "/v1/traces"
STACK_TIMEOUT = 2.0
"""Seconds, with all retries: the stack is near, and a closing agent waits for the last export."""


def own_provider(config: TelemetryConfig) -> "TracerProvider | None":
    """Return a provider that exports as `config` says; None where spans have nowhere to go.

    The caller shuts it down. Its exporter runs in a thread of its own and drops spans, with a
    record in the log, where the receiver is away.
    """
    if has_global_provider() or not is_exporting(config):
        return None
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": config.service_name}))
    exporter = _exporter(config)
    is_console = config.export is SpanExport.CONSOLE
    provider.add_span_processor(
        SimpleSpanProcessor(exporter) if is_console else BatchSpanProcessor(exporter)
    )
    return provider


def has_global_provider() -> bool:
    """Whether the program has configured OpenTelemetry itself."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def is_exporting(config: TelemetryConfig) -> bool:
    """Whether spans have somewhere to go."""
    if config.export is SpanExport.AUTO:
        return config.is_endpoint_set or bool(config.stack_url)
    return config.export is not SpanExport.NONE


def _exporter(config: TelemetryConfig) -> "SpanExporter":
    if config.export is SpanExport.CONSOLE:
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    if config.is_endpoint_set or not config.stack_url:
        return OTLPSpanExporter()
    endpoint = config.stack_url.rstrip("/") + TRACES_PATH
    return OTLPSpanExporter(endpoint=endpoint, timeout=STACK_TIMEOUT)
