"""The ingestor's memory: while it ingests a backlog, while history is away under load, and after.

History is away in the hardest way: its process is stopped, so that connections stand and nothing
answers. Meanwhile agents go on publishing.
"""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from cortex.cli.bench.corpus import Corpus, Made
from cortex.cli.bench.ingest import memory_mib
from cortex.cli.bench.load import load
from cortex.cli.bench.rig import Rig

TENTHS = 10
RATE = 5_000
"""Events per second that are published while history is away."""
CATCH_UP_SECONDS = 1_200.0
LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFigures:
    """Resident memory of the ingestor, in MiB."""

    by_tenth: list[int]
    """After each tenth of the backlog."""
    away_seconds: int
    away_published: int
    """Events published while history was away."""
    away_mib: int
    """The most while it was away."""
    after_mib: int
    """Once everything was in history."""


def measure_memory(rig: Rig, events: int, away_seconds: int) -> MemoryFigures:
    """Ingest a backlog of so many events, then take history away for so long.

    Raises:
        ChildFailedError: the events did not reach history.
    """
    made = Corpus().mixed(events + away_seconds * RATE)
    asyncio.run(load(rig.nats_url, islice(made, events)))
    with rig.ingestor() as child:
        by_tenth = list(_while_ingesting(rig, child.pid, events))
        with _stopped(_pid_of(rig, "history")):
            most = asyncio.run(_while_away(rig, child.pid, made, away_seconds))
        rig.wait_until_highest(events + away_seconds * RATE, CATCH_UP_SECONDS)
        after = memory_mib(child.pid)
    return MemoryFigures(
        by_tenth=by_tenth,
        away_seconds=away_seconds,
        away_published=away_seconds * RATE,
        away_mib=most,
        after_mib=after,
    )


def _while_ingesting(rig: Rig, pid: int, events: int) -> Iterator[int]:
    for tenth in range(1, TENTHS + 1):
        rig.wait_until_highest(events * tenth // TENTHS, CATCH_UP_SECONDS)
        yield memory_mib(pid)


async def _while_away(rig: Rig, pid: int, made: Iterator[Made], seconds: int) -> int:
    """Publish at a steady rate and return the most memory that was seen."""
    publishing = asyncio.create_task(_publish(rig, made, seconds))
    most = 0
    while not publishing.done():
        most = max(most, memory_mib(pid))
        await asyncio.wait({publishing}, timeout=LOOK_SECONDS)
    await publishing
    return most


async def _publish(rig: Rig, made: Iterator[Made], seconds: int) -> None:
    began_at = time.monotonic()
    for second in range(seconds):
        await load(rig.nats_url, islice(made, RATE))
        await asyncio.sleep(max(0.0, began_at + second + 1 - time.monotonic()))


@contextmanager
def _stopped(pid: int) -> Iterator[None]:
    """Keep a process from running."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _pid_of(rig: Rig, name: str) -> int:
    return next(int(one["pid"]) for one in rig.record["processes"] if one["name"] == name)
