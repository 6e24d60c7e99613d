"""A whole stack per test, through the `swarm` command, ended whatever happens."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infrastructure.stack.leftover import end_leftovers, is_alive, mark_process, read_marks
from infrastructure.stack.ports import USUAL_PORTS, any_free_port
from nervous_system.home import Home, write_json
from tests.support.eventually import eventually_blocking

SWARM = str(Path(sys.executable).with_name("swarm"))
COMMAND_SECONDS = 60


@dataclass(slots=True)
class Stack:
    """A home and the commands to use it."""

    root: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Home:
        return Home(self.root)

    @property
    def record(self) -> dict[str, Any]:
        """`stack.json` of the running stack."""
        record = self.home.stack()
        assert record is not None
        return record

    def swarm(
        self, *arguments: str, expected: int | None = 0, stdin: str | bytes = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run `swarm ARGUMENTS --home ...`; `expected` is its exit code, None for any."""
        text = stdin.decode() if isinstance(stdin, bytes) else stdin
        done = subprocess.run(
            [SWARM, *arguments, "--home", str(self.root)],
            input=text,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
            env={**os.environ, **self.environment},
        )
        assert expected is None or done.returncode == expected, (done.stdout, done.stderr)
        return done

    def json(self, *arguments: str, expected: int | None = 0) -> Any:
        """Run a command with `--json` and return what it printed."""
        return json.loads(self.swarm(*arguments, "--json", expected=expected).stdout)

    def up(self) -> None:
        """Start it in the background, away from the ports that people use."""
        self._wish_for_ports()
        self.swarm("up", "--detach")

    def down(self) -> None:
        self.swarm("down")

    def pid(self, name: str) -> int:
        """Pid of `supervisor`, `nats`, `history` or `ingestor`."""
        return int(next(p["pid"] for p in self.record["processes"] if p["name"] == name))

    def kill(self, name: str) -> None:
        """SIGKILL one process of it and wait until it is gone."""
        mark = mark_process(name, self.pid(name))
        os.kill(mark.pid, signal.SIGKILL)
        eventually_blocking(lambda: not is_alive(mark))

    def wait_ready(self) -> dict[str, Any]:
        """Wait until every process does its work; return the status."""
        status: dict[str, Any] = eventually_blocking(self._ready_status, timeout=40)
        return status

    def sql(self, query: str) -> list[dict[str, Any]]:
        """Wait until history has what the stream has, ask it as a reader, return the rows."""
        eventually_blocking(lambda: self.json("status", expected=None)["lag_events"] == 0)
        parts = urlsplit(self.record["clickhouse_url"])
        request = urllib.request.Request(
            f"http://{parts.hostname}:{parts.port}/",
            data=f"{query} format JSONEachRow".encode(),
            headers={
                "X-ClickHouse-User": parts.username or "",
                "X-ClickHouse-Key": parts.password or "",
            },
        )
        with urllib.request.urlopen(request, timeout=COMMAND_SECONDS) as answer:
            return [json.loads(line) for line in answer.read().splitlines()]

    def log(self, name: str) -> str:
        path = self.home.logs / f"{name}.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def _ready_status(self) -> dict[str, Any]:
        status: dict[str, Any] = self.json("status", expected=None)
        return status if status["ready"] else {}

    def _wish_for_ports(self) -> None:
        """Once; another stack that starts meanwhile may get one of them, then it has another."""
        if not self.home.settings_file.exists():
            self.home.ensure()
            ports = {name: any_free_port() for name in USUAL_PORTS}
            write_json(self.home.settings_file, {"ports": ports})


@contextlib.contextmanager
def stack_at(root: Path, environment: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """A stack that is not started yet; ended at the end of the block."""
    stack = Stack(root, environment or {})
    try:
        yield stack
    finally:
        if root.exists():
            stack.swarm("down", expected=None)
            end_leftovers(read_marks(root / "children.json"))


@contextlib.contextmanager
def running_stack(root: Path, environment: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """A stack that is ready."""
    with stack_at(root, environment) as stack:
        stack.up()
        yield stack
