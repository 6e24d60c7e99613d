"""The stack from outside its own process: start it in the background, ask how it is, stop it."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from infrastructure.errors import ChildFailedError
from infrastructure.stack.disk import has_write_error
from infrastructure.stack.http_probe import HttpAnswer, http_get
from infrastructure.stack.lock import is_stack_running, running_error, supervisor_pid
from infrastructure.stack.log_file import keep_log_short, last_line
from nervous_system.errors import ConfigError
from nervous_system.home import Home

PROBE_TIMEOUT_SECONDS = 2.0
POLL_SECONDS = 0.02
_FULL = "the disk of {home} is full, nothing can be published: make room, the bus then recovers"
_HISTORY_FULL = (
    "the disk of {path} is full, events wait in the stream: make room, history then catches up"
)
HISTORY_MIN_FREE_BYTES = 4 * 1024 * 1024
"""With less room ClickHouse refuses even small inserts, and merges long before."""
EVENTS_STREAM = "ENCHANTED_SWARM"
"""As `nervous_system.comms.streams` has it; importing that loads the driver, which `status` can do
without."""
NEWEST_SEQUENCE = (
    "select coalesce(maxOrNull(stream_seq), 0) from swarm.events "
    f"where stream like '{EVENTS_STREAM}%'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StackStatus:
    """How the stack of a home is."""

    record: Mapping[str, Any]
    """Its `stack.json`; empty when none runs."""
    answering: Mapping[str, bool]
    """Process name to whether it says that it does its work."""
    lag_events: int | None
    """Events in the stream that are not in history yet; None if one of the two cannot be asked."""

    trouble: str = ""
    """What is wrong, and what to do; empty: nothing."""

    @property
    def is_ready(self) -> bool:
        """Whether every process does its work and nothing is wrong."""
        return bool(self.answering) and all(self.answering.values()) and not self.trouble


def start_detached(
    home: Home,
    *,
    ports: Sequence[str] = (),
    environment: Mapping[str, str],
    log_format: str,
    has_ingestor: bool = True,
    has_dashboard: bool = True,
) -> dict[str, Any]:
    """Start a stack that outlives this process; return its record when it is ready.

    Raises:
        StackRunningError: one of this home runs already.
        ChildFailedError: it did not become ready.
    """
    home.ensure()
    if is_stack_running(home):
        raise running_error(home)
    log = home.logs / "supervisor.log"
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    keep_log_short(log)
    command = [sys.executable, "-m", "infrastructure.stack", "--home", str(home.root)]
    for port in ports:
        command += ["--port", port]
    if not has_ingestor:
        command.append("--no-ingestor")
    if not has_dashboard:
        command.append("--no-dashboard")
    with (
        log.open("ab") as stderr,
        subprocess.Popen(
            [*command, "--log-format", log_format],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
            env=dict(environment),
        ) as process,
    ):
        return _answer(process, home, log)


async def stack_status(home: Home) -> StackStatus:
    """Return how the stack of this home is, asking each process."""
    record = home.stack() if is_stack_running(home) else None
    if record is None:
        return StackStatus(record={}, answering={}, lag_events=None)
    urls: Mapping[str, str] = record["ready_urls"]
    asked = [*urls.values(), record["nats_health_url"]]
    *answers, health = await asyncio.gather(
        *(http_get(url, timeout=PROBE_TIMEOUT_SECONDS) for url in asked)
    )
    return StackStatus(
        record=record,
        answering={name: _is_well(answer) for name, answer in zip(urls, answers, strict=True)},
        lag_events=await _lag(record),
        # asked of the server and not read from the home, which may be on the full disk too
        trouble=_trouble(home, health),
    )


def _trouble(home: Home, health: HttpAnswer | None) -> str:
    if has_write_error(health):
        return _FULL.format(home=home.root)
    if shutil.disk_usage(home.history).free < HISTORY_MIN_FREE_BYTES:
        return _HISTORY_FULL.format(path=home.history)
    return ""


def stop_stack(home: Home, timeout: timedelta) -> bool:
    """Ask the stack to drain, wait until it has ended; return False where none runs.

    Raises:
        ChildFailedError: it has not ended in time.
    """
    if not is_stack_running(home):
        return False
    deadline = time.monotonic() + timeout.total_seconds()
    while is_stack_running(home):
        _signal_supervisor(home)
        if time.monotonic() > deadline:
            raise ChildFailedError(
                name="supervisor",
                reason=f"still draining after {timeout.total_seconds():g} s",
                log=str(home.logs / "supervisor.log"),
            )
        time.sleep(POLL_SECONDS)
    return True


def _answer(process: subprocess.Popen[bytes], home: Home, log: Path) -> dict[str, Any]:
    if process.stdout is None:
        raise AssertionError("started with a pipe")
    line = process.stdout.readline()
    answer: dict[str, Any] = json.loads(line) if line else {}
    if answer.get("kind") == "StackRunningError":
        raise running_error(home)
    if answer.get("kind") == "ConfigError":
        raise ConfigError(**answer["facts"])
    if not answer.get("ready"):
        reason = answer.get("error") or last_line(log) or "it ended at once"
        raise ChildFailedError(name="the stack", reason=reason, log=str(log))
    process.returncode = 0  # it goes on without us: nobody here waits for its end
    return home.stack() or {}


def _signal_supervisor(home: Home) -> None:
    # an instant may lie between its taking the lock and its writing of its pid
    if pid := supervisor_pid(home):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


async def _lag(record: Mapping[str, Any]) -> int | None:
    newest = urlencode({"query": NEWEST_SEQUENCE})
    stream, history = await asyncio.gather(
        http_get(f"{record['metrics']['nats']}?streams=true", timeout=PROBE_TIMEOUT_SECONDS),
        http_get(f"{_base(record['clickhouse_url'])}?{newest}", timeout=PROBE_TIMEOUT_SECONDS),
    )
    if stream is None or history is None or not _is_well(history):
        return None
    in_stream = _last_sequence(json.loads(stream.body))
    in_history = int(history.body.strip() or b"0")
    return None if in_stream is None else max(0, in_stream - in_history)


def _last_sequence(jetstream: Mapping[str, Any]) -> int | None:
    """Return the last sequence of the stream of events in what `/jsz?streams=true` says.

    None while the server has not restored the stream yet.
    """
    for account in jetstream.get("account_details", []):
        for stream in account.get("stream_detail", []):
            if stream["name"] == EVENTS_STREAM:
                return int(stream["state"]["last_seq"])
    return None


def _base(clickhouse_url: str) -> str:
    return clickhouse_url.rsplit("/", 1)[0] + "/"


def _is_well(answer: HttpAnswer | None) -> bool:
    return answer is not None and answer.status == 200
