"""What the ingestor tells Prometheus; one registry per service, nothing global."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_ROWS = (1, 10, 100, 1_000, 5_000, 10_000, 20_000, 50_000)
_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class IngestorMetrics:
    """The metrics, each labelled with its stream."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.lag_events = self._gauge("lag_events", "Messages of the stream not yet in history")
        self.lag_seconds = self._gauge(
            "lag_seconds", "Age of the oldest message that is not yet in history; 0 without one"
        )
        self.is_ready = self._gauge("ready", "1 while messages flow from the stream into history")
        self.limit_ratio = self._gauge(
            "un_ingested_age_ratio",
            "Age of the oldest message not in history, as a share of what the stream keeps",
        )
        self.sequence = self._gauge("history_sequence", "Highest sequence in history")
        self.ingested = self._counter("ingested_events", "Messages appended to history")
        self.undecodable = self._counter("undecodable_events", "Messages that do not decode")
        self.repeated = self._counter("repeated_events", "Events that repeat an emitter's number")
        self.stale = self._counter("stale_batches", "Batches refused, as history had moved on")
        self.failed = self._counter("failed_batches", "Batches that failed for other reasons")
        self.lost = self._counter(
            "expired_events", "Sequences that left the stream before they were in history"
        )
        self.batch_rows = self._histogram("batch_rows", "Messages per batch", _ROWS)
        self.insert_seconds = self._histogram("insert_seconds", "Time per insert", _SECONDS)

    def render(self) -> bytes:
        """Return the metrics in Prometheus's text format."""
        return generate_latest(self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"swarm_ingestor_{name}", text, ["stream"], registry=self.registry)

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(f"swarm_ingestor_{name}", text, ["stream"], registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(
            f"swarm_ingestor_{name}", text, ["stream"], registry=self.registry, buckets=buckets
        )
