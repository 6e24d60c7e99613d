"""Settings of the intake; nothing else of this package reads the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from infrastructure.history.config import HistoryConfig
from nervous_system.errors import ConfigError
from nervous_system.home import Home, find_home

USUAL_PORT = 4318
"""Where OpenTelemetry exporters look for OTLP over HTTP."""
USUAL_NATS_URL = "nats://127.0.0.1:4222"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeConfig:
    """What the intake listens to and where it puts what it takes."""

    nats_url: str = field(repr=False)
    """The bus, with user and password: `SWARM_NATS_URL`."""
    history: HistoryConfig
    """Where spans and content go in the end: `SWARM_CLICKHOUSE_DSN`."""
    host: str = "127.0.0.1"
    """Address of the OTLP receiver; only the loopback, for exporters send no credentials."""
    port: int = USUAL_PORT
    """Its port: `SWARM_OTLP_PORT`; 0: any free one."""
    is_redacting: bool = True
    """Take secrets out of the text of spans and hooks (`SWARM_REDACT=0` switches it off)."""
    hooks_nats_url: str = field(default="", repr=False)
    """The bus as a user who may publish events reaches it: `SWARM_HOOKS_NATS_URL`; empty: hooks
    are not taken."""
    home: Home | None = None
    """Where hooks keep what could not be sent, and gates are noted: `SWARM_HOME`."""

    def __post_init__(self) -> None:
        if self.host not in _LOOPBACK:
            raise ConfigError(
                variable="host",
                given=self.host,
                expected="an address of the loopback",
                fix="put a collector with TLS and credentials in front of it",
            )
        if not urlsplit(self.nats_url).scheme:
            raise ConfigError(
                variable="SWARM_NATS_URL",
                given="",
                expected="nats://user:pass@host:port",
                fix="set it, or start a stack with `swarm up`",
            )

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "IntakeConfig":
        """Read the settings.

        Raises:
            ConfigError: one of them is missing or cannot be used.
        """
        given = environment.get("SWARM_OTLP_PORT", "")
        if given and not (given.isascii() and given.isdigit() and int(given) < 65536):
            raise ConfigError(
                variable="SWARM_OTLP_PORT",
                given=given,
                expected="a port number",
                fix=f"leave it out for {USUAL_PORT}",
            )
        return cls(
            nats_url=environment.get("SWARM_NATS_URL") or USUAL_NATS_URL,
            history=HistoryConfig.from_env(environment),
            port=int(given) if given else USUAL_PORT,
            is_redacting=environment.get("SWARM_REDACT", "1") != "0",
            hooks_nats_url=environment.get("SWARM_HOOKS_NATS_URL", ""),
            home=find_home(environment, Path.cwd()),
        )
