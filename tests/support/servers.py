"""A real nats-server per test: own port, own store, fsync before ack, gone afterwards."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infrastructure.stack.nats_config import NatsServerConfig, render
from infrastructure.stack.permissions import ANY_AGENT, USER_NAMES, swarm_users
from tests.support.eventually import eventually_blocking

STOP_SECONDS = 10


def nats_server_binary() -> str | None:
    """Return the nats-server beside this python, or the one on PATH."""
    beside = Path(sys.executable).with_name("nats-server")
    return str(beside) if beside.exists() else shutil.which("nats-server")


@dataclass(slots=True)
class NatsServer:
    """A nats-server process that can be killed and started again on the same port and store."""

    directory: Path
    passwords: dict[str, str] = field(default_factory=dict)
    """User name to password; empty: the server asks for none."""
    agents: Mapping[str, Sequence[str]] = field(default_factory=lambda: ANY_AGENT)
    """Users of agents to the tokens that they may speak for; used at the next start."""
    port: int = 0
    websocket_port: int = 0
    monitor_port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def config_file(self) -> Path:
        return self.directory / "nats-server.conf"

    @property
    def log_file(self) -> Path:
        return self.directory / "nats-server.log"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def url(self) -> str:
        """URL of the operator where there are users."""
        return self.url_of("operator") if self.passwords else f"nats://127.0.0.1:{self.port}"

    @property
    def monitor_url(self) -> str:
        return f"http://127.0.0.1:{self.monitor_port}"

    @property
    def websocket_url(self) -> str:
        return f"ws://127.0.0.1:{self.websocket_port}"

    def url_of(self, user: str) -> str:
        return f"nats://{user}:{self.passwords[user]}@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, also again after `kill` or `stop`; return when clients can connect."""
        ports = self.directory / "ports"
        shutil.rmtree(ports, ignore_errors=True)
        ports.mkdir(parents=True)
        self.config_file.write_text(self._config(ports), encoding="utf-8")
        binary = nats_server_binary()
        assert binary is not None
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen([binary, "-c", self.config_file], stderr=log)
        self._learn_ports(ports)

    def kill(self) -> None:
        """End it as a power cut of the process would: SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it politely."""
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """Make it hang: connected, but silent."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def _config(self, ports: Path) -> str:
        return render(
            NatsServerConfig(
                store=self.directory / "store",
                server_name="test",
                port=self.port or -1,
                websocket_port=self.websocket_port or -1,
                monitor_port=self.monitor_port or -1,
                ports_directory=ports,
                users=swarm_users(self.passwords, self.agents) if self.passwords else (),
            )
        )

    def _learn_ports(self, ports: Path) -> None:
        found = eventually_blocking(lambda: self._read_ports(ports))
        assert found is not None
        self.port = _port(found["nats"][0])
        self.websocket_port = _port(found["websocket"][0])
        self.monitor_port = _port(found["monitoring"][0])

    def _read_ports(self, ports: Path) -> dict[str, list[str]] | None:
        if self.process is not None and self.process.poll() is not None:
            raise RuntimeError(f"nats-server ended at once: {self.log()}")
        for file in ports.glob("*.ports"):
            with contextlib.suppress(ValueError):  # half written
                answer: dict[str, list[str]] = json.loads(file.read_text(encoding="utf-8"))
                return answer
        return None

    def _end(self, number: signal.Signals) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(number)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def running_nats_server(directory: Path, *, with_users: bool = False) -> Iterator[NatsServer]:
    """Start a server below `directory` and end it whatever happens.

    With users, each one's password is its name: `operator`, `ingestor`, `dashboard`, `agent`,
    `publisher`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    passwords = {name: name for name in USER_NAMES} if with_users else {}
    server = NatsServer(directory, passwords)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def _port(url: str) -> int:
    return int(url.rsplit(":", 1)[1])
