"""What the owner of embedded history needs to know; it comes from the home, not the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nervous_system.errors import ConfigError
from nervous_system.home import Home, read_json

USUAL_PORT = 8123
"""Where clients look for ClickHouse over HTTP."""
LOOPBACK = "127.0.0.1"
USERS = ("history_writer", "history_reader")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerConfig:
    """Where the data is, who may ask, and where to listen."""

    path: Path
    """Directory of the embedded data."""
    credentials: Mapping[str, str] = field(repr=False)
    """User name to password, of the writer and the reader."""
    port: int
    """0: a free one."""
    host: str = LOOPBACK
    """Only the loopback: there is no TLS here."""

    @classmethod
    def from_home(cls, home: Home, *, port: int | None = None) -> "OwnerConfig":
        """Read credentials and port of a home.

        Raises:
            ConfigError: the home has no credentials for history.
        """
        found = home.credentials()
        missing = [name for name in USERS if not found.get(name)]
        if missing:
            raise ConfigError(
                variable=str(home.credentials_file),
                given="without " + ", ".join(missing),
                expected="a password for " + " and ".join(USERS),
                fix="start the stack with `swarm up`, which makes them",
            )
        return cls(
            path=home.history,
            credentials={name: found[name] for name in USERS},
            port=_recorded_port(home) if port is None else port,
        )


def _recorded_port(home: Home) -> int:
    ports = (read_json(home.settings_file) or {}).get("ports", {})
    return int(ports.get("history", USUAL_PORT))
