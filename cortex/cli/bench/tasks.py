"""Tasks at work: what the orchestrator adds to each, how many get done, and each exactly once.

Orchestrator and workers are processes of their own, `swarm orchestrate` and `swarm worker`, on a
real stack. Times are those at which the server stored the transitions.
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any, cast

from cortex.cli.bench.rig import POLL_SECONDS, SWARM, Rig
from cortex.engine.coordination import open_coordination
from cortex.engine.runs import RunClient
from cortex.engine.state_machine import TaskTrigger
from cortex.engine.tasks import Task, Transition
from cortex.errors import CortexError
from infrastructure.errors import ChildFailedError
from nervous_system import connect
from nervous_system.comms.streams import TASKS_STREAM
from nervous_system.config import SwarmConfig
from nervous_system.swarm import Swarm

ROLE = "trivial"
WORKERS = 4
LEASE_SECONDS = 1.0
KILL_EVERY_SECONDS = 1.0
"""Longer than a worker takes to start on two cores, or none would ever be at work."""
END_SECONDS = 120.0
READY_SECONDS = 30.0
CHAIN_COUNT = 200
KILLED_FACTOR = 3
"""So many times the tasks while workers are killed, for kills to matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFigures:
    """What one part of the benchmark found out about tasks."""

    overhead_ms: list[float]
    """From the end of a task to the claim of the one that waited for it, per task."""
    per_s: list[float]
    """Tasks per second from the first submission to the last completion, per round."""
    killed_per_s: float
    """The same while workers were killed at random."""
    kills: int
    tasks: int
    """How many each round had; each was completed exactly once, or there are no figures."""


class TasksLostError(CortexError):
    """Tasks were not completed exactly once."""

    def __init__(self, *, expected: int, completions: int, states: dict[str, int]) -> None:
        self.expected = expected
        self.completions = completions
        self.states = states
        super().__init__(f"{expected} tasks, {completions} completions, states {states}")


async def measure_tasks(rig: Rig, count: int, rounds: int) -> TaskFigures:
    """Let four workers complete `count` tasks per round; check that each was, exactly once.

    Raises:
        TasksLostError: one was completed twice, or not at all.
        ChildFailedError: workers did not start.
    """
    with ExitStack() as stack:
        stack.enter_context(rig.process(SWARM, "orchestrate", "--home", str(rig.home.root)))
        crew = [stack.enter_context(_worker(rig)) for _ in range(WORKERS)]
        async with _client(rig) as (swarm, runs):
            await _wait_for_crew(swarm, len(crew))
            rates = [_rate(await _complete(runs, _plain(count))) for _ in range(rounds)]
            overhead = _gaps(await _complete(runs, _chain(CHAIN_COUNT)))
            killer = asyncio.create_task(_kill_at_random(rig, stack, crew))
            try:
                killed_rate = _rate(await _complete(runs, _plain(count * KILLED_FACTOR)))
            finally:
                killer.cancel()
                (kills,) = await asyncio.gather(killer)
    return TaskFigures(
        overhead_ms=overhead, per_s=rates, killed_per_s=killed_rate, kills=kills, tasks=count
    )


def _worker(rig: Rig) -> Any:
    return rig.process(
        SWARM,
        "worker",
        "--role",
        ROLE,
        "--lease",
        str(LEASE_SECONDS),
        "--home",
        str(rig.home.root),
    )


@asynccontextmanager
async def _client(rig: Rig) -> AsyncIterator[tuple[Swarm, RunClient]]:
    config = SwarmConfig.from_env({}, home=rig.home.root, url=rig.nats_url)
    async with connect(config=config) as swarm, open_coordination(swarm, "bench") as part:
        yield swarm, RunClient(part)


async def _wait_for_crew(swarm: Swarm, count: int) -> None:
    """Return when all workers wait for a task."""
    try:
        async with asyncio.timeout(READY_SECONDS):
            while await _waiting(swarm) < count:  # noqa: ASYNC110 - other processes, no event
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError as error:
        raise ChildFailedError(name="swarm worker", reason="did not start", log="") from error


async def _waiting(swarm: Swarm) -> int:
    consumers = await swarm.bus.js.consumers_info(TASKS_STREAM)
    return min((int(one.num_waiting or 0) for one in consumers), default=0)


def _plain(count: int) -> list[Task]:
    return [Task(task_id=f"t{n}", run_id="", role=ROLE) for n in range(count)]


def _chain(count: int) -> list[Task]:
    before = [(), *((f"t{n}",) for n in range(count - 1))]
    return [
        Task(task_id=f"t{n}", run_id="", role=ROLE, depends_on=needed)
        for n, needed in enumerate(before)
    ]


async def _complete(runs: RunClient, tasks: Sequence[Task]) -> list[Transition]:
    """Let tasks be done in a run of their own; return all of its transitions."""
    run_id = await runs.create({"task": "bench"})
    await runs.submit([_of_run(task, run_id) for task in tasks])
    await runs.start(run_id)
    async with asyncio.timeout(END_SECONDS):
        state = await runs.wait(run_id)
        found = await _transitions(runs, run_id, state.last_sequence)
    completions = _completions(found)
    if state.counts() != {"DONE": len(tasks)} or len(completions) != len(tasks):
        raise TasksLostError(
            expected=len(tasks), completions=len(completions), states=state.counts()
        )
    return found


async def _transitions(runs: RunClient, run_id: str, end: int) -> list[Transition]:
    found: list[Transition] = []
    async with aclosing(cast("Any", runs.watch(run_id))) as watched:
        async for transition in watched:
            found.append(transition)
            if transition.sequence == end:
                break
    return found


def _of_run(task: Task, run_id: str) -> Task:
    return Task(
        task_id=task.task_id,
        run_id=run_id,
        role=task.role,
        depends_on=task.depends_on,
        max_attempts=20,
    )


def _completions(transitions: Sequence[Transition]) -> list[Transition]:
    return [one for one in transitions if one.trigger is TaskTrigger.COMPLETE]


def _rate(transitions: Sequence[Transition]) -> float:
    first = next(one for one in transitions if one.trigger is TaskTrigger.CREATE)
    completions = _completions(transitions)
    return len(completions) / (completions[-1].at - first.at).total_seconds()


def _gaps(transitions: Sequence[Transition]) -> list[float]:
    """Return the times between the completion of one task and the claim of the next, in ms."""
    gaps, ended_at = [], None
    for one in transitions:
        if one.trigger is TaskTrigger.COMPLETE:
            ended_at = one.at
        elif one.trigger is TaskTrigger.CLAIM and ended_at is not None:
            gaps.append((one.at - ended_at).total_seconds() * 1_000)
    return gaps


async def _kill_at_random(rig: Rig, stack: ExitStack, crew: list[subprocess.Popen[bytes]]) -> int:
    """Kill a worker at random times and start another, until cancelled; return how many."""
    random, kills = Random(1), 0  # noqa: S311 - moments, not secrets
    try:
        while True:
            await asyncio.sleep(random.uniform(0.0, 2 * KILL_EVERY_SECONDS))
            victim = random.randrange(len(crew))
            os.kill(crew[victim].pid, signal.SIGKILL)
            crew[victim].wait()
            kills += 1
            crew[victim] = stack.enter_context(_worker(rig))
    except asyncio.CancelledError:
        return kills
