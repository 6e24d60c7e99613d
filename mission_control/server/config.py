"""Settings of the dashboard; nothing else of this package reads the environment."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict
from urllib.parse import unquote, urlsplit

from infrastructure.history.config import HistoryConfig
from nervous_system.comms.inbox import user_inbox
from nervous_system.comms.streams import COORDINATION_STREAM, EVENTS_STREAM
from nervous_system.errors import ConfigError

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8321
HIGHEST_PORT = 65_535
MIN_TOKEN_CHARACTERS = 16
LIVE_STREAMS = (EVENTS_STREAM, COORDINATION_STREAM)
_DEFAULT_PORTS = {"ws": 80, "wss": 443, "http": 80, "https": 443}


class Access(TypedDict):
    """How a browser reaches the bus."""

    url: str
    user: str
    password: str
    inbox_prefix: str
    streams: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardConfig:
    """What one dashboard process serves, where, and to whom."""

    history: HistoryConfig
    """History as readers reach it: `SWARM_CLICKHOUSE_DSN`."""
    token: str = field(repr=False)
    """Who knows it may look: `SWARM_DASHBOARD_TOKEN`."""
    host: str = DEFAULT_HOST
    """Address to listen on: `SWARM_DASHBOARD_HOST`."""
    port: int = DEFAULT_PORT
    """Its port: `SWARM_DASHBOARD_PORT`; 0: any free one."""
    nats_url: str = field(default="", repr=False)
    """The bus as the dashboard's user reaches it: `SWARM_NATS_URL`; empty: no live data."""
    ws_url: str = ""
    """The bus's websocket as browsers reach it: `SWARM_DASHBOARD_WS_URL`."""
    jaeger_url: str | None = None
    """Where Jaeger's pages are: `SWARM_JAEGER_URL`."""
    home: Path | None = None
    """The home of an embedded stack: `SWARM_HOME`."""
    origins: tuple[str, ...] = ()
    """Further origins that browsers know this dashboard by, as `https://swarm.example.org`:
    `SWARM_DASHBOARD_ORIGINS`, separated by commas. Those of this machine are always accepted."""
    certificate: Path | None = None
    """TLS certificate: `SWARM_DASHBOARD_TLS_CERT`."""
    certificate_key: Path | None = None
    """Its key: `SWARM_DASHBOARD_TLS_KEY`."""
    may_be_insecure: bool = False
    """`SWARM_DASHBOARD_INSECURE=1`: listen beyond this machine without TLS, because something else
    keeps strangers away, as a container's port that is published on the loopback only."""

    def __post_init__(self) -> None:
        if len(self.token) < MIN_TOKEN_CHARACTERS:
            raise ConfigError(
                variable="SWARM_DASHBOARD_TOKEN",
                given=f"{len(self.token)} characters",
                expected=f"at least {MIN_TOKEN_CHARACTERS} random characters",
                fix="set it, as to the output of `openssl rand -hex 24`",
            )
        if not 0 <= self.port <= HIGHEST_PORT:
            raise _refused("SWARM_DASHBOARD_PORT", str(self.port), "a port")
        self._check_reach()
        self._check_urls()

    @property
    def has_tls(self) -> bool:
        """Whether it serves HTTPS itself."""
        return self.certificate is not None

    @property
    def home_name(self) -> str:
        """Name of the directory that the swarm works in; empty without a home."""
        if self.home is None:
            return ""
        root = self.home.resolve()
        return root.parent.name if root.name.startswith(".") else root.name

    @property
    def socket_origin(self) -> str:
        """Scheme, host and port of the websocket; empty where there is none."""
        parts = urlsplit(self.ws_url)
        if not parts.hostname:
            return ""
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return f"{parts.scheme}://{host}:{parts.port or _DEFAULT_PORTS[parts.scheme]}"

    @property
    def bus_access(self) -> Access | None:
        """How the browser reaches the bus; None where it cannot."""
        parts = urlsplit(self.nats_url.partition(",")[0])
        if not self.ws_url or not parts.username:
            return None
        user = unquote(parts.username)
        return Access(
            url=self.ws_url,
            user=user,
            password=unquote(parts.password or ""),
            inbox_prefix=user_inbox(user),
            streams=list(LIVE_STREAMS),
        )

    def _check_reach(self) -> None:
        if (self.certificate is None) != (self.certificate_key is None):
            raise ConfigError(
                variable="SWARM_DASHBOARD_TLS_KEY",
                given=str(self.certificate_key or ""),
                expected="certificate and key together",
                fix="set both SWARM_DASHBOARD_TLS_CERT and SWARM_DASHBOARD_TLS_KEY",
            )
        if not (_is_loopback(self.host) or self.has_tls or self.may_be_insecure):
            raise ConfigError(
                variable="SWARM_DASHBOARD_HOST",
                given=self.host,
                expected="a loopback address, or TLS",
                fix="set SWARM_DASHBOARD_TLS_CERT and SWARM_DASHBOARD_TLS_KEY",
            )

    def _check_urls(self) -> None:
        _check_url("SWARM_DASHBOARD_WS_URL", self.ws_url, ("ws", "wss"))
        _check_url("SWARM_JAEGER_URL", self.jaeger_url or "", ("http", "https"))
        for origin in self.origins:
            _check_url("SWARM_DASHBOARD_ORIGINS", origin, ("http", "https"))
            if urlsplit(origin).path:
                raise _refused("SWARM_DASHBOARD_ORIGINS", origin, "an origin without a path")

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "DashboardConfig":
        """Read the settings.

        Raises:
            ConfigError: one is missing or cannot be used.
        """
        return cls(
            history=HistoryConfig.from_env(environment),
            token=environment.get("SWARM_DASHBOARD_TOKEN", ""),
            host=environment.get("SWARM_DASHBOARD_HOST") or DEFAULT_HOST,
            port=_port(environment),
            nats_url=environment.get("SWARM_NATS_URL", ""),
            ws_url=environment.get("SWARM_DASHBOARD_WS_URL", ""),
            jaeger_url=environment.get("SWARM_JAEGER_URL") or None,
            home=_path(environment, "SWARM_HOME"),
            origins=tuple(
                origin.strip().rstrip("/").lower()
                for origin in environment.get("SWARM_DASHBOARD_ORIGINS", "").split(",")
                if origin.strip()
            ),
            certificate=_path(environment, "SWARM_DASHBOARD_TLS_CERT"),
            certificate_key=_path(environment, "SWARM_DASHBOARD_TLS_KEY"),
            may_be_insecure=environment.get("SWARM_DASHBOARD_INSECURE") == "1",
        )


def _port(environment: Mapping[str, str]) -> int:
    given = environment.get("SWARM_DASHBOARD_PORT") or str(DEFAULT_PORT)
    if not given.isdecimal():
        raise _refused("SWARM_DASHBOARD_PORT", given, "a port")
    return int(given)


def _path(environment: Mapping[str, str], variable: str) -> Path | None:
    given = environment.get(variable)
    return Path(given) if given else None


def _check_url(variable: str, url: str, schemes: tuple[str, ...]) -> None:
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in schemes and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_good = False
    if url and not (is_good and url.isascii() and url.isprintable() and " " not in url):
        raise _refused(variable, url, " or ".join(f"{scheme}://host:port" for scheme in schemes))


def _refused(variable: str, given: str, expected: str) -> ConfigError:
    return ConfigError(variable=variable, given=given, expected=expected, fix="correct it")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
