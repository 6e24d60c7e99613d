"""What agents share: how long each operation takes, in process and as a whole command.

Two agents of a real stack, each on a connection of its own; every write is on disk before it is
answered. A woken waiter is measured from the call that completes the step.
"""

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cortex.cli.bench.rig import SWARM, Rig
from cortex.coordination import Project, ProjectConfig, open_project
from cortex.coordination.errors import StepHeldError

OPERATIONS = 300
MESSAGES = 500
FEW_MESSAGES = 60
WAITS = 50
COMMANDS = 20
ARTIFACTS = 20
ARTIFACT_BYTES = 1024 * 1024
SETTLE_SECONDS = 0.02
"""A waiter listens before its step is completed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoordinationFigures:
    """Milliseconds, a list for each operation."""

    operations: Mapping[str, Sequence[float]]
    """In process: claim, lost_claim, complete, memory_set, memory_get, send, artifact_up, ..."""
    inbox_few: Sequence[float]
    inbox_many: Sequence[float]
    wake: Sequence[float]
    """From the completion of a step to the return of who waits for it."""
    command: Sequence[float]
    """`swarm claim`, from its start to its end."""


async def measure_coordination(rig: Rig) -> CoordinationFigures:
    """Measure each operation many times, one after the other."""
    async with (
        open_project(config=_config(rig, "one")) as one,
        open_project(config=_config(rig, "other")) as other,
    ):
        operations = await _operations(one, other) | await _artifacts(one, other)
        few = await _inbox(one, other, FEW_MESSAGES)
        many = await _inbox(one, other, MESSAGES)
        wake = [await _wake(one, other, f"wake-{number}") for number in range(WAITS)]
    return CoordinationFigures(
        operations=operations,
        inbox_few=few,
        inbox_many=many,
        wake=wake,
        command=[_command(rig, f"command-{number}") for number in range(COMMANDS)],
    )


async def _operations(one: Project, other: Project) -> dict[str, list[float]]:
    async def lose(number: int) -> None:
        with suppress(StepHeldError):
            await other.claim(f"step-{number}")

    return {
        "claim": await _times(lambda number: one.claim(f"step-{number}")),
        "lost_claim": await _times(lose),
        "complete": await _times(lambda number: one.complete(f"step-{number}", note="done")),
        "memory_set": await _times(lambda number: one.memory.set(f"key.{number}", number)),
        "memory_get": await _times(lambda number: other.memory.get(f"key.{number}")),
        "send": await _times(lambda number: other.send("one", f"message {number}")),
    }


async def _artifacts(one: Project, other: Project) -> dict[str, list[float]]:
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"file-{number}" for number in range(ARTIFACTS)]
        for file in files:
            file.write_bytes(os.urandom(ARTIFACT_BYTES))

        def upload(number: int) -> Awaitable[object]:
            return one.artifact.upload(files[number])

        def download(number: int) -> Awaitable[object]:
            name = files[number].name
            return other.artifact.download(name, Path(folder) / f"out-{number}")

        return {
            "artifact_up": await _times(upload, ARTIFACTS),
            "artifact_down": await _times(download, ARTIFACTS),
        }


async def _inbox(one: Project, other: Project, count: int) -> list[float]:
    """Time reading so many new messages, and reading them again."""
    await other.mailbox.remove_through(2**62)
    for number in range(count):
        await one.send("other", f"message {number}")
    times = []
    for _ in range(10):
        began = time.perf_counter()
        found = await other.inbox()
        times.append(_since(began))
        if len(found) != count:
            raise ValueError(f"{len(found)} of {count} messages were shown")
    return times


async def _wake(one: Project, other: Project, step: str) -> float:
    await one.claim(step)
    waiting = asyncio.create_task(other.wait_for(step))
    await asyncio.sleep(SETTLE_SECONDS)
    began = time.perf_counter()
    await one.complete(step)
    await waiting
    return _since(began)


def _command(rig: Rig, step: str) -> float:
    began = time.perf_counter()
    subprocess.run(
        [SWARM, "claim", step, "--home", str(rig.home.root)],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "SWARM_AGENT": "shell"},
    )
    return _since(began)


async def _times(
    operation: Callable[[int], Awaitable[object]], count: int = OPERATIONS
) -> list[float]:
    times = []
    for number in range(count):
        began = time.perf_counter()
        await operation(number)
        times.append(_since(began))
    return times


def _config(rig: Rig, agent: str) -> ProjectConfig:
    url = str(rig.record["agent_nats_url"])
    return ProjectConfig(home=rig.home, project="bench", agent=agent, url=url, run_id="bench")


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
