"""Counts of what was asked and how long it took, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from starlette.types import Scope

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
UNKNOWN = "other"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The metrics of one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "swarm_dashboard_requests",
            "Answered requests.",
            ["endpoint", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "swarm_dashboard_request_seconds",
            "Time from a request to the end of its answer.",
            ["endpoint"],
            buckets=_SECONDS,
            registry=self._registry,
        )

    def note_request(self, scope: Scope, status: int, seconds: float) -> None:
        """Count a request, under the name of what answers it and not what it asks for."""
        endpoint = getattr(scope.get("endpoint"), "__name__", UNKNOWN)
        self._requests.labels(endpoint=endpoint, status=str(status)).inc()
        self._seconds.labels(endpoint=endpoint).observe(seconds)

    def text(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        return generate_latest(self._registry)
