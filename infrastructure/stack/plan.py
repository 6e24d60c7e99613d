"""What one stack consists of: its processes, their ports, URLs and files, worked out from a home.

Pure but for reading the interpreter's place; `runner` writes and starts what is planned here.
"""

import importlib.util
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from infrastructure.stack.child import ChildSpec
from infrastructure.stack.credentials import DASHBOARD_TOKEN
from infrastructure.stack.nats_config import LOOPBACK, NatsServerConfig
from infrastructure.stack.permissions import ANY_AGENT, swarm_users
from nervous_system.comms.streams import DUPLICATE_WINDOW
from nervous_system.errors import ConfigError
from nervous_system.home import Home

STORE_ROOM_FACTOR = 2
"""JetStream's cap relative to the cap of the stream of events, so that all streams' caps fit."""

NATS_RUNTIME = {"GOGC": "400", "GOMEMLIMIT": "1GiB"}
"""How Go's runtime collects garbage in nats-server, unless the user's environment says otherwise.
A small heap with a high rate of allocation is collected all the time; letting it grow to five times
what is in use instead of twice saves some 12 % of the server's CPU. The limit bounds that growth.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPlan:
    """One stack, planned."""

    home: Home
    ports: Mapping[str, int]
    """By the names of `USUAL_PORTS`."""
    credentials: Mapping[str, str]
    """User name to password."""
    max_stream_bytes: int
    """Cap of the stream of events."""
    duplicate_window: timedelta = DUPLICATE_WINDOW
    """For how long the stream of events recognises a repeated message id."""
    environment: Mapping[str, str]
    """Environment that the processes inherit."""
    agents: Mapping[str, Sequence[str]] = field(default_factory=lambda: ANY_AGENT)
    """Users of agents to the escaped agent ids that they may speak for."""
    has_ingestor: bool = True
    """False: events wait in the stream for an ingestor that somebody else runs."""
    has_dashboard: bool = True

    @property
    def nats_config_file(self) -> Path:
        """Where nats-server's configuration is written."""
        return self.home.nats / "nats-server.conf"

    @property
    def store(self) -> Path:
        """Where JetStream keeps its files."""
        return self.home.nats / "store"

    @property
    def monitor_url(self) -> str:
        """nats-server's own HTTP monitoring."""
        return f"http://{LOOPBACK}:{self.ports['monitor']}"

    @property
    def history_url(self) -> str:
        """History's HTTP endpoint, without user."""
        return f"http://{LOOPBACK}:{self.ports['history']}"

    @property
    def ingestor_url(self) -> str:
        """The ingestor's health and metrics."""
        return f"http://{LOOPBACK}:{self.ports['ingestor']}"

    @property
    def otlp_url(self) -> str:
        """Where OTLP over HTTP is taken, without `/v1/traces`."""
        return f"http://{LOOPBACK}:{self.ports['otlp']}"

    @property
    def dashboard_origin(self) -> str:
        """Where the dashboard is, without path."""
        return f"http://{LOOPBACK}:{self.ports['dashboard']}"

    @property
    def dashboard_url(self) -> str:
        """A link that logs in."""
        token = quote(self.credentials[DASHBOARD_TOKEN], safe="")
        return f"{self.dashboard_origin}/login?token={token}"

    @property
    def websocket_url(self) -> str:
        """The bus for browsers, without user."""
        return f"ws://{LOOPBACK}:{self.ports['websocket']}"

    def nats_url(self, user: str) -> str:
        """Return the bus's URL for one user."""
        return f"nats://{user}:{self.credentials[user]}@{LOOPBACK}:{self.ports['nats']}"

    def clickhouse_url(self, user: str) -> str:
        """Return history's URL for one user."""
        password = self.credentials[user]
        return f"http://{user}:{password}@{LOOPBACK}:{self.ports['history']}/swarm"

    def nats_config(self) -> NatsServerConfig:
        """Return nats-server's settings."""
        return NatsServerConfig(
            store=self.store,
            port=self.ports["nats"],
            websocket_port=self.ports["websocket"],
            websocket_origins=self._origins(),
            monitor_port=self.ports["monitor"],
            max_store_bytes=self.max_stream_bytes * STORE_ROOM_FACTOR,
            users=swarm_users(self.credentials, self.agents),
        )

    def nats(self) -> ChildSpec:
        """Return the bus's process."""
        return self._spec(
            "nats",
            (nats_server_binary(), "-c", str(self.nats_config_file)),
            ready_url=f"{self.monitor_url}/healthz?js-server-only=true",
            settings={
                name: self.environment.get(name, NATS_RUNTIME[name]) for name in NATS_RUNTIME
            },
        )

    def history(self) -> ChildSpec:
        """Return the process that owns the embedded data."""
        arguments = ("--home", str(self.home.root), "--port", str(self.ports["history"]))
        return self._spec(
            "history", _python("infrastructure.history", *arguments), f"{self.history_url}/readyz"
        )

    def specs(self) -> tuple[ChildSpec, ...]:
        """Return the processes of this stack."""
        return (
            self.nats(),
            self.history(),
            *((self.ingestor(),) if self.has_ingestor else ()),
            *((self.dashboard(),) if self.has_dashboard else ()),
        )

    def ingestor(self) -> ChildSpec:
        """Return the process that moves the stream into history."""
        settings = {
            "SWARM_NATS_URL": self.nats_url("ingestor"),
            "SWARM_CLICKHOUSE_DSN": self.clickhouse_url("history_writer"),
            "SWARM_INGESTOR_PORT": str(self.ports["ingestor"]),
            "SWARM_OTLP_PORT": str(self.ports["otlp"]),
            "SWARM_HOOKS_NATS_URL": self.nats_url(self._hooks_user),
        }
        return self._spec(
            "ingestor",
            _python("infrastructure.ingestor"),
            ready_url=f"{self.ingestor_url}/readyz",
            settings=settings,
        )

    def dashboard(self) -> ChildSpec:
        """Return the process that serves the dashboard.

        It stays on the loopback; who wants it elsewhere runs one of their own.
        """
        settings = {
            "SWARM_NATS_URL": self.nats_url("dashboard"),
            "SWARM_CLICKHOUSE_DSN": self.clickhouse_url("history_reader"),
            "SWARM_DASHBOARD_HOST": LOOPBACK,
            "SWARM_DASHBOARD_PORT": str(self.ports["dashboard"]),
            "SWARM_DASHBOARD_TOKEN": self.credentials[DASHBOARD_TOKEN],
            "SWARM_DASHBOARD_WS_URL": self.websocket_url,
            "SWARM_DASHBOARD_TLS_CERT": "",
            "SWARM_DASHBOARD_TLS_KEY": "",
        }
        return self._spec(
            "dashboard",
            _python("mission_control.server"),
            ready_url=f"{self.dashboard_origin}/readyz",
            settings=settings,
        )

    @property
    def _hooks_user(self) -> str:
        """Who publishes what foreign agents' hooks say: for any agent, where there is such one."""
        anyone = (name for name, tokens in self.agents.items() if "*" in tokens)
        return next(anyone, "operator")

    def record(self, processes: list[dict[str, Any]], pid: int) -> dict[str, Any]:
        """Return what `stack.json` says while the stack runs."""
        return {
            "pid": pid,
            "nats_url": self.nats_url("operator"),
            "public_nats_url": f"nats://{LOOPBACK}:{self.ports['nats']}",
            "agent_nats_url": self.nats_url("agent"),
            "agent_nats_urls": {name: self.nats_url(name) for name in self.agents},
            "publisher_nats_url": self.nats_url("publisher"),
            "ingestor_nats_url": self.nats_url("ingestor"),
            "dashboard_nats_url": self.nats_url("dashboard"),
            "dashboard_ws_url": self.websocket_url,
            "dashboard_url": self.dashboard_url if self.has_dashboard else None,
            "dashboard_origin": self.dashboard_origin if self.has_dashboard else None,
            "clickhouse_url": self.clickhouse_url("history_reader"),
            "writer_dsn": self.clickhouse_url("history_writer"),
            "otlp_url": self.otlp_url if self.has_ingestor else None,
            "metrics": {
                "history": f"{self.history_url}/metrics",
                "ingestor": f"{self.ingestor_url}/metrics",
                "nats": f"{self.monitor_url}/jsz",
            },
            "nats_health_url": f"{self.monitor_url}/healthz",
            "ready_urls": {spec.name: spec.ready_url for spec in self.specs()},
            "processes": processes,
        }

    def _origins(self) -> tuple[str, ...]:
        """Return how browsers name the dashboard's pages."""
        if not self.has_dashboard:
            return ()
        port = self.ports["dashboard"]
        return tuple(f"http://{host}:{port}" for host in (LOOPBACK, "localhost", "[::1]"))

    def _spec(
        self,
        name: str,
        command: tuple[str, ...],
        ready_url: str,
        settings: Mapping[str, str] | None = None,
    ) -> ChildSpec:
        return ChildSpec(
            name=name,
            command=command,
            environment={
                **self.environment,
                "SWARM_HOME": str(self.home.root),
                "PYTHONUNBUFFERED": "1",
                **(settings or {}),
            },
            log=self.home.logs / f"{name}.log",
            ready_url=ready_url,
            stop_timeout=timedelta(seconds=20),
        )


def nats_server_binary() -> str:
    """Return the nats-server of this environment, else the one on PATH.

    Raises:
        ConfigError: there is none.
    """
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise ConfigError(
            variable="PATH",
            given="no nats-server",
            expected="nats-server",
            fix="install enchanted-swarm[embedded]",
        )
    return found


def is_dashboard_installed() -> bool:
    """Return whether what the dashboard is served by is there: it comes with the extra `server`."""
    return all(importlib.util.find_spec(name) for name in ("fastapi", "uvicorn"))


def _python(module: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *arguments)
