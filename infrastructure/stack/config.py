"""Settings of `python -m infrastructure.stack.setup`, which containers run once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from nervous_system.comms.streams import DEFAULT_MAX_BYTES, DUPLICATE_WINDOW
from nervous_system.errors import ConfigError

REPLICAS = (1, 3)
LEAST_DUPLICATE_WINDOW = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclareConfig:
    """Which streams are declared where."""

    nats_url: str = field(repr=False)
    """The bus as its operator reaches it (SWARM_NATS_URL)."""
    replicas: int = 1
    """Copies of each stream: 1, or 3 on a cluster (SWARM_STREAM_REPLICAS)."""
    max_bytes: int = DEFAULT_MAX_BYTES
    """Cap of the stream of events, in bytes (SWARM_STREAM_BYTES); the others get shares of it."""
    duplicate_window: timedelta = DUPLICATE_WINDOW
    """For how long the stream of events recognises a repeated message id, in whole seconds
    (SWARM_STREAM_DUPLICATE_SECONDS); a longer one costs the bus memory for each id."""

    def __post_init__(self) -> None:
        if not self.nats_url:
            raise _refused("SWARM_NATS_URL", "", "nats://user:password@host:port")
        if self.replicas not in REPLICAS:
            raise _refused("SWARM_STREAM_REPLICAS", str(self.replicas), "1, or 3 on a cluster")
        if self.max_bytes <= 0:
            raise _refused("SWARM_STREAM_BYTES", str(self.max_bytes), "a number of bytes")
        if self.duplicate_window < LEAST_DUPLICATE_WINDOW:
            given = f"{self.duplicate_window.total_seconds():g}"
            raise _refused("SWARM_STREAM_DUPLICATE_SECONDS", given, "at least one second")

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "DeclareConfig":
        """Read the environment.

        Raises:
            ConfigError: a setting is missing or cannot be used.
        """
        return cls(
            nats_url=environment.get("SWARM_NATS_URL", ""),
            replicas=_integer(environment, "SWARM_STREAM_REPLICAS", 1),
            max_bytes=_integer(environment, "SWARM_STREAM_BYTES", DEFAULT_MAX_BYTES),
            duplicate_window=timedelta(
                seconds=_integer(
                    environment,
                    "SWARM_STREAM_DUPLICATE_SECONDS",
                    int(DUPLICATE_WINDOW.total_seconds()),
                )
            ),
        )


def _integer(environment: Mapping[str, str], variable: str, default: int) -> int:
    text = environment.get(variable, "")
    if not text:
        return default
    try:
        return int(text)
    except ValueError as error:
        raise _refused(variable, text, "a whole number") from error


def _refused(variable: str, given: str, expected: str) -> ConfigError:
    return ConfigError(variable=variable, given=given, expected=expected, fix="set it")
