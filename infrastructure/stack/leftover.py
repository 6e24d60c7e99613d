"""Processes that a stack has started, remembered on disk so that the next stack can end them.

A supervisor that is killed cannot stop its children. On Linux the kernel ends them (see `child`);
everywhere, and for those that hang, the next `swarm up` does. A pid alone may belong to somebody
else by then, so the start time is compared too.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from nervous_system.home import read_json, write_json

POLITE_SECONDS = 5.0
POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class ProcessMark:
    """What tells one process from every other that this machine has run."""

    name: str
    pid: int
    started: str
    """Start time as the system writes it; only ever compared."""


def mark_process(name: str, pid: int) -> ProcessMark:
    """Return the mark of a process that runs now."""
    return ProcessMark(name, pid, _start_time(pid))


def is_alive(mark: ProcessMark) -> bool:
    """Return whether exactly that process still runs."""
    return bool(mark.started) and _start_time(mark.pid) == mark.started


def write_marks(path: Path, marks: Iterable[ProcessMark]) -> None:
    """Remember the processes of the running stack."""
    write_json(path, {"processes": [asdict(mark) for mark in marks]})


def read_marks(path: Path) -> list[ProcessMark]:
    """Return the processes remembered, none where there is no file or only half of one."""
    try:
        found = read_json(path) or {}
    except ValueError:
        return []
    return [ProcessMark(**entry) for entry in found.get("processes", [])]


def end_leftovers(marks: Iterable[ProcessMark]) -> list[ProcessMark]:
    """End those that still run, politely and then not; return them."""
    found = [mark for mark in marks if is_alive(mark)]
    _signal(found, signal.SIGTERM)
    deadline = time.monotonic() + POLITE_SECONDS
    while (remaining := [mark for mark in found if is_alive(mark)]) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    _signal(remaining, signal.SIGKILL)
    while any(is_alive(mark) for mark in remaining):
        time.sleep(POLL_SECONDS)
    return found


def _signal(marks: Iterable[ProcessMark], number: signal.Signals) -> None:
    for mark in marks:
        with contextlib.suppress(ProcessLookupError):
            os.kill(mark.pid, number)


def _start_time(pid: int) -> str:
    """Return when `pid` was started; empty where no such process runs, or only its corpse."""
    if Path("/proc/self/stat").exists():
        return _start_time_of_proc(pid)
    listed = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split()
    return "" if not listed or listed[0].startswith("Z") else " ".join(listed[1:])


def _start_time_of_proc(pid: int) -> str:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    fields = text.rpartition(")")[2].split()
    state, start_time = fields[0], fields[19]
    return "" if state in "ZX" else start_time
