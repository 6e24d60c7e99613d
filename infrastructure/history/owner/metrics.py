"""What the owner counts, in Prometheus' text format."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from infrastructure.history.owner.engine import Written
from infrastructure.history.owner.http1 import Response

_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """Counters of one endpoint, on a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._queries = Counter(
            "swarm_history_queries", "Queries answered.", ["user"], registry=self._registry
        )
        self._failures = Counter(
            "swarm_history_failures",
            "Requests answered with an error, by ClickHouse's code.",
            ["user", "code"],
            registry=self._registry,
        )
        self._result_bytes = Counter(
            "swarm_history_result_bytes", "Bytes of results.", ["user"], registry=self._registry
        )
        self._query_seconds = Histogram(
            "swarm_history_query_seconds",
            "Time in the engine per query.",
            ["user"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._insert_seconds = Histogram(
            "swarm_history_insert_seconds",
            "Time in the engine per insert.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._inserted_rows = Counter(
            "swarm_history_inserted_rows", "Rows inserted.", registry=self._registry
        )

    def answered(self, user: str, seconds: float, size: int) -> None:
        """Count a query that was answered."""
        self._queries.labels(user).inc()
        self._query_seconds.labels(user).observe(seconds)
        self._result_bytes.labels(user).inc(size)

    def inserted(self, written: Written) -> None:
        """Count an insert."""
        self._insert_seconds.observe(written.seconds)
        self._inserted_rows.inc(written.rows)

    def failed(self, user: str, code: int) -> None:
        """Count a request that was answered with an error."""
        self._failures.labels(user, str(code)).inc()

    def response(self) -> Response:
        """Return the answer to `/metrics`."""
        return Response(
            headers={"Content-Type": _CONTENT_TYPE}, body=generate_latest(self._registry)
        )
