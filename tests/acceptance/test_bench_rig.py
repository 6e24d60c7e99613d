"""The stack that is measured: without an ingestor of its own, and gone however `bench` ends."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cortex.cli.bench.rig import open_rig
from infrastructure.stack.leftover import is_alive, mark_process
from nervous_system.home import Home
from tests.support.eventually import eventually_blocking
from tests.support.stacks import SWARM


def test_the_measured_stack_leaves_events_in_the_stream() -> None:
    with open_rig() as rig:
        names = {process["name"] for process in rig.record["processes"]}
    assert {"nats", "history"} <= names
    assert "ingestor" not in names


@pytest.mark.timeout(90)
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
def test_bench_that_is_ended_ends_its_stack(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """Neither a process nor a file is left behind."""
    bench = subprocess.Popen(
        [SWARM, "bench", "--only", "publish"], env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    stack = eventually_blocking(lambda: stack_below(tmp_path), timeout=30)
    marks = [mark_process(one["name"], one["pid"]) for one in stack["processes"]]
    bench.send_signal(number)
    assert bench.wait(timeout=60) == code
    assert not any(is_alive(mark) for mark in marks)
    assert list(tmp_path.glob("swarm-bench-*")) == []


def stack_below(directory: Path) -> dict[str, Any]:
    homes = [Home(found) for found in directory.glob("swarm-bench-*/.swarm")]
    return next((found for home in homes if (found := home.stack())), {})
