"""Runs the stack of one home from lock to clean end: what `swarm up` and `python -m` do alike."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from infrastructure.stack.agent_users import agent_users
from infrastructure.stack.config import DeclareConfig
from infrastructure.stack.credentials import ensure_credentials
from infrastructure.stack.declare import declare_all
from infrastructure.stack.disk import MIN_FREE_BYTES, DiskWatch
from infrastructure.stack.leftover import (
    end_leftovers,
    mark_process,
    read_marks,
    write_marks,
)
from infrastructure.stack.lock import hold_stack_lock, reserving_ports
from infrastructure.stack.log_file import LogWatch
from infrastructure.stack.nats_config import render
from infrastructure.stack.plan import StackPlan, is_dashboard_installed
from infrastructure.stack.ports import any_free_port, choose_ports, is_port_free
from infrastructure.stack.spools import SpoolWatch
from infrastructure.stack.supervisor import Step, Supervisor
from nervous_system.comms.streams import DUPLICATE_WINDOW, affordable_max_bytes
from nervous_system.errors import BusUnavailableError
from nervous_system.home import Home, read_json, write_json

logger = logging.getLogger(__name__)

DECLARE_ATTEMPTS = 5
"""Each waits for as long as the driver does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackConfig:
    """What can be asked of a stack when it is started."""

    home: Home
    environment: Mapping[str, str] = field(repr=False)
    """Inherited by the processes."""
    ports: Mapping[str, int] = field(default_factory=dict)
    """Ports asked for by name (`--port`); the others are chosen."""
    start_timeout: timedelta = timedelta(seconds=60)
    """How long one process may take until it is ready: a large stream is checked first."""
    has_ingestor: bool = True
    """Whether the stack runs an ingestor; without one, events wait in the stream."""
    has_dashboard: bool = True
    """Whether the stack serves the dashboard, where it is installed."""
    min_free_bytes: int = MIN_FREE_BYTES
    """Room on the bus's disk that has to be there before nats-server is restarted after a full
    disk."""


async def run_stack(
    config: StackConfig, stop: asyncio.Event, on_ready: Callable[[dict[str, Any]], None]
) -> None:
    """Start the stack, call `on_ready` with its record, keep it until `stop`, drain it.

    Raises:
        StackRunningError: a stack of this home runs already.
        ChildFailedError: a process did not become ready.
        ConfigError: a port that was asked for is taken.
    """
    config.home.ensure()
    with hold_stack_lock(config.home):
        _recover(config.home)
        try:
            await _run_locked(config, stop, on_ready)
        finally:
            config.home.stack_file.unlink(missing_ok=True)
            _marks_file(config.home).unlink(missing_ok=True)


async def _run_locked(
    config: StackConfig, stop: asyncio.Event, on_ready: Callable[[dict[str, Any]], None]
) -> None:
    with reserving_ports() as reserve:
        plan = prepare_plan(config, reserve)
        record = StackRecord(plan)
        supervisor = Supervisor(
            _steps(plan),
            start_timeout=config.start_timeout,
            on_change=record.note_processes,
            watches=[_disk_watch(plan, config), SpoolWatch(plan.home), LogWatch(plan.home.logs)],
        )
        await supervisor.run(stop, lambda: on_ready(record.publish()))


def prepare_plan(config: StackConfig, reserve: Callable[[int], bool] = lambda _: True) -> StackPlan:
    """Choose ports, make credentials and write what the processes read when they start.

    Args:
        config: What was asked for.
        reserve: Keeps a port from other stacks; False where one of them has it.
    """

    def is_free(port: int) -> bool:
        return is_port_free(port) and reserve(port)

    def any_free() -> int:
        while not reserve(port := any_free_port()):
            pass
        return port

    home = config.home
    settings = read_json(home.settings_file) or {}
    ports = choose_ports(
        given=config.ports,
        recorded=settings.get("ports", {}),
        is_free=is_free,
        any_free=any_free,
    )
    max_bytes = settings.get("max_stream_bytes") or affordable_max_bytes(home.nats)
    agents = agent_users(settings.get("agents", {}))
    plan = StackPlan(
        home=home,
        ports=ports,
        agents=agents,
        credentials=ensure_credentials(home, agents),
        max_stream_bytes=max_bytes,
        duplicate_window=timedelta(
            seconds=settings.get("duplicate_window_seconds", DUPLICATE_WINDOW.total_seconds())
        ),
        environment=config.environment,
        has_ingestor=config.has_ingestor,
        has_dashboard=config.has_dashboard and is_dashboard_installed(),
    )
    write_json(home.settings_file, {**settings, "ports": ports, "max_stream_bytes": max_bytes})
    for folder in (home.logs, plan.store, home.history):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write_secret(plan.nats_config_file, render(plan.nats_config()))
    return plan


class StackRecord:
    """Keeps `stack.json` and the list of processes on disk true while the stack runs."""

    def __init__(self, plan: StackPlan) -> None:
        self._plan = plan
        self._processes: list[dict[str, Any]] = []
        self._is_public = False

    def publish(self) -> dict[str, Any]:
        """Write `stack.json` for the first time: the stack is ready."""
        self._is_public = True
        self._write()
        return self._content()

    def note_processes(self, supervisor: Supervisor) -> None:
        """Remember which processes run now."""
        children = supervisor.children
        self._processes = [{"name": child.name, "pid": child.pid} for child in children]
        marks = [mark_process(child.name, child.pid) for child in children]
        with _disk_may_be_full():
            write_marks(_marks_file(self._plan.home), marks)
        self._write()

    def _content(self) -> dict[str, Any]:
        supervisor = {"name": "supervisor", "pid": os.getpid()}
        return self._plan.record([supervisor, *self._processes], os.getpid())

    def _write(self) -> None:
        if self._is_public:
            with _disk_may_be_full():
                write_json(self._plan.home.stack_file, self._content())


@contextmanager
def stop_on_signals(stop: asyncio.Event) -> Iterator[list[signal.Signals]]:
    """Set `stop` at SIGINT, SIGTERM and SIGHUP; the list fills with what came."""
    received: list[signal.Signals] = []
    loop = asyncio.get_running_loop()

    def receive(number: signal.Signals) -> None:
        received.append(number)
        stop.set()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, receive, number)
    try:
        yield received
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def _steps(plan: StackPlan) -> list[Step]:
    async def declare() -> None:
        await _declare_streams(plan)

    dashboard = [Step(spec=plan.dashboard())] if plan.has_dashboard else []
    if not plan.has_ingestor:
        return [
            Step(spec=plan.nats()),
            Step(spec=plan.history(), after=("nats",), prepare=declare),
            *dashboard,
        ]
    return [
        Step(spec=plan.nats()),
        Step(spec=plan.history()),
        # both: it looks at tables that history makes while it starts
        Step(spec=plan.ingestor(), after=("nats", "history"), prepare=declare),
        *dashboard,
    ]


async def _declare_streams(plan: StackPlan) -> None:
    config = DeclareConfig(
        nats_url=plan.nats_url("operator"),
        max_bytes=plan.max_stream_bytes,
        duplicate_window=plan.duplicate_window,
    )
    for _ in range(DECLARE_ATTEMPTS - 1):
        try:
            return await declare_all(config)
        except BusUnavailableError as error:  # a busy machine, or a large store that is restored
            reason = str(error)
            logger.warning("the bus is slow", extra={"action": "bus_slow", "reason": reason})
    return await declare_all(config)


def _disk_watch(plan: StackPlan, config: StackConfig) -> DiskWatch:
    return DiskWatch(
        monitor_url=plan.monitor_url,
        store=plan.store,
        min_free_bytes=config.min_free_bytes,
    )


def _recover(home: Home) -> None:
    """End what a killed supervisor has left running; the lock says that none of it is wanted."""
    home.stack_file.unlink(missing_ok=True)
    for mark in end_leftovers(read_marks(_marks_file(home))):
        logger.warning(
            "ended a process that an earlier stack has left",
            extra={"action": "leftover_ended", "child": mark.name, "child_pid": mark.pid},
        )


def _marks_file(home: Home) -> Path:
    return home.root / "children.json"


def _write_secret(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


@contextmanager
def _disk_may_be_full() -> Iterator[None]:
    """A record that cannot be written must not take the stack down."""
    with suppress(OSError):
        yield
