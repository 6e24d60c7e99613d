"""What the intake counts, in Prometheus' text format."""

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from infrastructure.history.owner.http1 import Response


class IntakeMetrics:
    """Counters of one intake, on a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._spans = Counter(
            "swarm_intake_spans", "Spans taken, by outcome.", ["outcome"], registry=self._registry
        )
        self._refused = Counter(
            "swarm_intake_refused", "Requests refused whole.", ["reason"], registry=self._registry
        )
        self._redacted = Counter(
            "swarm_intake_redacted", "Secrets taken out of spans.", registry=self._registry
        )
        self._sequence = Gauge(
            "swarm_intake_sequence",
            "Sequence of the stream of spans that history has reached.",
            registry=self._registry,
        )

    def accepted(self, accepted: int, rejected: int) -> None:
        """Count the spans of a request."""
        self._spans.labels("accepted").inc(accepted)
        self._spans.labels("rejected").inc(rejected)

    def redacted(self, count: int) -> None:
        """Count secrets taken out of spans."""
        self._redacted.inc(count)

    def refused(self, reason: str) -> None:
        """Count a request of which nothing was taken."""
        self._refused.labels(reason).inc()

    def reached(self, sequence: int) -> None:
        """Note how far history has come."""
        self._sequence.set(sequence)

    def response(self) -> Response:
        """Return the answer to `/metrics`."""
        return Response(
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
            body=generate_latest(self._registry),
        )
