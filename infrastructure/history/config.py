"""Where history is and how to reach it; nothing else of this package reads the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from nervous_system.errors import ConfigError

DATABASE = "swarm"
VARIABLE = "SWARM_CLICKHOUSE_DSN"
_EXPECTED = "chdb://PATH or http(s)://user:pass@host:port/swarm"


class Deployment(Enum):
    """Which kind of engine holds the data; migrations differ by it."""

    EMBEDDED = "embedded"
    """ClickHouse inside one process of the stack (chDB)."""
    SERVER = "server"
    """A ClickHouse server or cluster with a keeper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryConfig:
    """How to reach history. The password never shows in `repr`, errors or logs."""

    dsn: str
    """`SWARM_CLICKHOUSE_DSN`: `chdb://PATH` (this process owns the data) or
    `http(s)://user:pass@host:port/swarm`."""
    connect_timeout: timedelta = timedelta(seconds=5)
    """How long to wait for a connection."""
    request_timeout: timedelta = timedelta(seconds=120)
    """How long to wait for the answer to one query or insert; larger than any limit on the other
    side."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.dsn)
        if parts.scheme == "chdb":
            self._check_path(parts)
        elif parts.scheme in {"http", "https"}:
            self._check_server(parts)
        else:
            raise self._refused("use one of these schemes")

    def __repr__(self) -> str:
        return f"HistoryConfig(dsn={self.public_dsn!r})"

    def _refused(self, fix: str) -> ConfigError:
        return ConfigError(variable=VARIABLE, given=self.public_dsn, expected=_EXPECTED, fix=fix)

    def _check_path(self, parts: SplitResult) -> None:
        if not parts.netloc + parts.path:
            raise self._refused(
                "name the directory that holds the data, as in chdb:///srv/swarm/history"
            )

    def _check_server(self, parts: SplitResult) -> None:
        if not parts.hostname:
            raise self._refused("name the host")
        if parts.path.strip("/") not in {"", DATABASE}:
            raise self._refused(f"the database is called {DATABASE}")
        try:
            _ = parts.port
        except ValueError as error:
            raise self._refused("the port is a number below 65536") from error

    @property
    def is_embedded(self) -> bool:
        """Whether this process itself opens the data."""
        return self.dsn.startswith("chdb:")

    @property
    def path(self) -> str:
        """Directory of embedded data; relative where the DSN is."""
        parts = urlsplit(self.dsn)
        return unquote(parts.netloc + parts.path)

    @property
    def public_dsn(self) -> str:
        """The DSN without its password, for messages and logs."""
        parts = urlsplit(self.dsn)
        if "@" not in parts.netloc:
            return self.dsn
        user = parts.netloc.rpartition("@")[0].partition(":")[0]
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{user}:***@{host}"))

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "HistoryConfig":
        """Read `SWARM_CLICKHOUSE_DSN`.

        Raises:
            ConfigError: it is not set, or not a DSN.
        """
        dsn = environment.get(VARIABLE, "")
        if not dsn:
            raise ConfigError(
                variable=VARIABLE,
                given="",
                expected=_EXPECTED,
                fix="set it, or start a stack with `swarm up`",
            )
        return cls(dsn=dsn)
