"""Settings of the ingestor; nothing else of this package reads the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from infrastructure.history.config import HistoryConfig
from infrastructure.ingestor.batching import BatchLimits
from infrastructure.ingestor.wire import WireOptions
from nervous_system.comms.streams import COORDINATION_STREAM, EVENTS_STREAM
from nervous_system.errors import ConfigError

DEFAULT_URL = "nats://127.0.0.1:4222"
DEFAULT_PORT = 9464
DEFAULT_STREAMS = (EVENTS_STREAM, COORDINATION_STREAM)
DEFAULT_ROWS = 50_000
DEFAULT_BYTES = 64 * 1024 * 1024
_LEAST_IN_FLIGHT_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestorConfig:
    """What one ingestor process does."""

    wire: WireOptions
    """The bus: `SWARM_NATS_URL`; user and password, or a token, inside."""
    history: HistoryConfig
    """Where rows go: `SWARM_CLICKHOUSE_DSN`."""
    streams: tuple[str, ...] = DEFAULT_STREAMS
    """Streams to bring into history, each with its own ledger: `SWARM_INGESTOR_STREAMS`, separated
    by commas."""
    host: str = "127.0.0.1"
    """Address of health and metrics: `SWARM_INGESTOR_HOST`."""
    port: int = DEFAULT_PORT
    """Their port: `SWARM_INGESTOR_PORT`; 0: any free one."""
    max_in_flight_bytes: int = DEFAULT_BYTES
    """Most that one stream's messages may take up on their way, counted in each form that they
    take: `SWARM_INGESTOR_BYTES`. The stream is the buffer, not this process."""
    max_batch_rows: int = DEFAULT_ROWS
    """Most rows of one batch: `SWARM_INGESTOR_ROWS`."""
    max_batch_age: timedelta = timedelta(milliseconds=100)
    """Longest that an event waits for others to share its batch."""
    drain_timeout: timedelta = timedelta(seconds=10)
    """How long the last batches may take once the process is asked to stop."""

    def __post_init__(self) -> None:
        if self.max_in_flight_bytes < _LEAST_IN_FLIGHT_BYTES:
            raise ConfigError(
                variable="SWARM_INGESTOR_BYTES",
                given=str(self.max_in_flight_bytes),
                expected=f"at least {_LEAST_IN_FLIGHT_BYTES}",
                fix="leave it out, or raise it",
            )
        if self.max_batch_rows < 1:
            raise ConfigError(
                variable="SWARM_INGESTOR_ROWS",
                given=str(self.max_batch_rows),
                expected="a positive number",
                fix="leave it out, or raise it",
            )

    @property
    def limits(self) -> BatchLimits:
        """When batches close.

        In memory are at most a batch being inserted, one being sent, the messages of one being
        built, which come to half of what it will be, and what is read ahead of it.
        """
        return BatchLimits(
            max_rows=self.max_batch_rows,
            max_bytes=self.max_in_flight_bytes * 3 // 10,
            max_age_seconds=self.max_batch_age.total_seconds(),
        )

    @property
    def read_ahead_bytes(self) -> int:
        """Most that may be read ahead of the batch being built."""
        return self.max_in_flight_bytes // 4

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "IngestorConfig":
        """Read the settings.

        Raises:
            ConfigError: one of them cannot be used.
        """
        streams = environment.get("SWARM_INGESTOR_STREAMS") or ",".join(DEFAULT_STREAMS)
        return cls(
            wire=WireOptions(
                url=environment.get("SWARM_NATS_URL") or DEFAULT_URL,
                nkey_seed=environment.get("SWARM_NATS_NKEY_SEED") or None,
            ),
            history=HistoryConfig.from_env(environment),
            streams=tuple(name.strip() for name in streams.split(",") if name.strip()),
            host=environment.get("SWARM_INGESTOR_HOST") or "127.0.0.1",
            port=_whole(environment, "SWARM_INGESTOR_PORT", DEFAULT_PORT),
            max_in_flight_bytes=_whole(environment, "SWARM_INGESTOR_BYTES", DEFAULT_BYTES),
            max_batch_rows=_whole(environment, "SWARM_INGESTOR_ROWS", DEFAULT_ROWS),
        )


def _whole(environment: Mapping[str, str], variable: str, default: int) -> int:
    given = environment.get(variable, "")
    if not given:
        return default
    try:
        return int(given)
    except ValueError as error:
        raise ConfigError(
            variable=variable, given=given, expected="a whole number", fix="correct it"
        ) from error
