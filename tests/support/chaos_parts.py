"""The processes of a stack without its supervisor: what a test kills stays dead until it says so.

Commands, configuration and record are those that the supervisor works with.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infrastructure.history.client import open_history
from infrastructure.history.config import HistoryConfig
from infrastructure.stack.child import ChildSpec
from infrastructure.stack.config import DeclareConfig
from infrastructure.stack.declare import declare_all
from infrastructure.stack.http_probe import http_get
from infrastructure.stack.lock import hold_stack_lock
from infrastructure.stack.plan import StackPlan
from infrastructure.stack.ports import USUAL_PORTS, any_free_port
from infrastructure.stack.runner import StackConfig, prepare_plan
from nervous_system.home import Home, write_json
from tests.support.eventually import eventually_blocking
from tests.support.stacks import Stack

START_SECONDS = 40
STOP_SECONDS = 20


@dataclass(slots=True)
class Parts:
    """Nats-server, history and ingestor of one home, each in the test's hands."""

    stack: Stack
    plan: StackPlan
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    """Further environment of processes that are started from now on."""

    def spec(self, name: str) -> ChildSpec:
        """How the supervisor would start it."""
        return next(spec for spec in self.plan.specs() if spec.name == name)

    def start(self, *names: str, wait: bool = True) -> None:
        """Start processes; unless told otherwise, wait until they do their work."""
        for name in names:
            spec = self.spec(name)
            with spec.log.open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    spec.command,
                    env={**spec.environment, **self.settings},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
        for name in names:
            if wait:
                self.wait_ready(name)

    def wait_ready(self, name: str) -> None:
        """Wait until it says that it does its work."""
        eventually_blocking(lambda: self.is_ready(name), timeout=START_SECONDS)

    def kill(self, *names: str) -> None:
        """SIGKILL, all before any is waited for."""
        for name in names:
            self.processes[name].kill()
        for name in names:
            self.processes.pop(name).wait()

    def stop(self, name: str) -> int:
        """End it politely; return its exit code."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(STOP_SECONDS)
        finally:
            process.kill()

    def log(self, name: str) -> str:
        """Return what it has said."""
        return self.spec(name).log.read_text(encoding="utf-8", errors="replace")

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Ask history as its writer, as it is now."""
        with open_history(HistoryConfig(dsn=self.plan.clickhouse_url("history_writer"))) as history:
            return history.query(sql)

    def is_ready(self, name: str) -> bool:
        """Whether it says that it does its work; a process that has ended is a failure."""
        process = self.processes[name]
        assert process.poll() is None, f"{name} has ended: {self.log(name)[-2000:]}"
        answer = asyncio.run(http_get(self.spec(name).ready_url, timeout=2))
        return answer is not None and answer.status == 200


@contextlib.contextmanager
def parts_at(root: Path, settings: Mapping[str, object] | None = None) -> Iterator[Parts]:
    """A home with its bus running and declared, and nothing else yet.

    The home counts as running, so that the commands find it. `settings` are those of `swarm.json`.
    """
    home = Home(root)
    home.ensure()
    write_json(home.settings_file, dict(settings or {}))
    ports = {name: any_free_port() for name in USUAL_PORTS}
    config = StackConfig(home=home, environment=dict(os.environ), ports=ports, has_dashboard=False)
    plan = prepare_plan(config)
    parts = Parts(Stack(root), plan)
    with hold_stack_lock(home):
        write_json(home.stack_file, plan.record([], os.getpid()))
        try:
            parts.start("nats")
            asyncio.run(declare_all(declaration(plan)))
            yield parts
        finally:
            for process in parts.processes.values():
                process.kill()
                process.wait()


def declaration(plan: StackPlan) -> DeclareConfig:
    """What the supervisor declares before it starts the ingestor."""
    return DeclareConfig(
        nats_url=plan.nats_url("operator"),
        max_bytes=plan.max_stream_bytes,
        duplicate_window=plan.duplicate_window,
    )
