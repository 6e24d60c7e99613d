"""The stack that is measured: without an ingestor of its own, and gone however `bench` ends."""

import asyncio
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cortex.cli.bench.copies import multiply
from cortex.cli.bench.corpus import Corpus
from cortex.cli.bench.load import load
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


def test_copies_of_events_have_ids_of_their_own() -> None:
    with open_rig() as rig:
        asyncio.run(load(rig.nats_url, Corpus().mixed(200)))
        with rig.ingestor():
            rig.wait_until_highest(200, timeout=60)
        traces = rig.scalar("select uniqExact(trace_id) from swarm.events")
        multiply(rig, 200, 600)
        assert rig.scalar("select uniqExact(event_id) from swarm.events") == 600
        assert rig.scalar("select uniqExact(trace_id) from swarm.events") == 3 * traces
        assert rig.highest() == 600


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
