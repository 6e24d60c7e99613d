"""Real orchestrators and workers, killed and stopped at any moment: all done, nothing twice."""

import asyncio
import os
import random
import signal
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from cortex.engine.state_machine import RunPhase, TaskState, TaskTrigger
from cortex.engine.tasks import Transition
from tests.support.coordinating import Party, party_at, task
from tests.support.eventually import eventually
from tests.support.servers import NatsServer
from tests.support.stacks import SWARM


@dataclass
class Crew:
    """Processes of `swarm`, ended with the test."""

    environment: dict[str, str]
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            [SWARM, *arguments], env=self.environment, stderr=subprocess.PIPE, bufsize=0
        )
        self.children.append(child)
        return child

    def worker(self, name: str, *more: str) -> subprocess.Popen[bytes]:
        return self.start("worker", "--role", "trivial", "--agent", name, "--lease", "1", *more)

    def orchestrator(self) -> subprocess.Popen[bytes]:
        return self.start("orchestrate")


@contextmanager
def crew_at(server: NatsServer, home: Path) -> Iterator[Crew]:
    crew = Crew(
        {
            **os.environ,
            "SWARM_NATS_URL": server.url,
            "SWARM_HOME": str(home),
            "OTEL_TRACES_EXPORTER": "none",
        }
    )
    try:
        yield crew
    finally:
        for child in crew.children:
            child.kill()
            child.wait()
            assert child.stderr is not None
            child.stderr.close()


@pytest.fixture
def crew(nats_server: NatsServer, tmp_path: Path) -> Iterator[Crew]:
    with crew_at(nats_server, tmp_path / "home") as crew:
        yield crew


@pytest.fixture
async def party(nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[Party]:
    async with party_at(nats_server, tmp_path / "home") as party:
        yield party


async def all_of(party: Party, seconds: float) -> list[Transition]:
    """Return every transition of the run until it has ended."""
    found: list[Transition] = []
    async with asyncio.timeout(seconds), aclosing(cast("Any", party.runs.watch("r1"))) as watched:
        async for one in watched:
            found.append(one)
            if not one.task_id and one.phase in {RunPhase.SUCCEEDED, RunPhase.FAILED}:
                break
    return found


def assert_each_done_once(found: list[Transition], count: int) -> None:
    completions = Counter(one.task_id for one in found if one.trigger is TaskTrigger.COMPLETE)
    assert len(completions) == count
    assert set(completions.values()) == {1}
    assert found[-1].phase is RunPhase.SUCCEEDED
    assert found[-1].document == {"tasks": {"DONE": count}}


def layered(count: int, width: int) -> list[Any]:
    """Return tasks of which each depends on one of the layer before."""
    return [
        task(
            f"t{n}",
            depends_on=(f"t{n - width}",) if n >= width else (),
            priority=n % 3,
            max_attempts=50,
            retry_seconds=0.01,
            instructions={"failures": n % 2, "seconds": 0.01},
        )
        for n in range(count)
    ]


@pytest.mark.timeout(150)
async def test_kills_at_random_lose_nothing_and_do_nothing_twice(crew: Crew, party: Party) -> None:
    """Workers and orchestrators die by SIGKILL all the time; successors go on from replay."""
    start: list[Callable[[], subprocess.Popen[bytes]]] = [
        crew.orchestrator,
        partial(crew.worker, "a"),
        partial(crew.worker, "b"),
    ]
    alive = [one() for one in start]
    await party.run(*layered(150, 25))
    watching = asyncio.create_task(all_of(party, 120))
    dice = random.Random(7)
    while not watching.done():
        await asyncio.wait({watching}, timeout=dice.uniform(0.5, 2.5))
        victim = dice.randrange(len(alive))
        alive[victim].kill()
        alive[victim].wait()
        alive[victim] = start[victim]()
    assert_each_done_once(await watching, 150)


@pytest.mark.timeout(120)
async def test_run_goes_on_when_the_bus_comes_back(
    crew: Crew, party: Party, nats_server: NatsServer
) -> None:
    """The server dies in the middle and stays away; everybody waits, and goes on."""
    crew.orchestrator()
    crew.worker("a")
    await party.run(*layered(60, 10))
    await eventually(lambda: _any_done(party))
    nats_server.kill()
    await asyncio.sleep(2)  # what is tested is an absence, longer than a lease
    nats_server.start()
    assert_each_done_once(await all_of(party, 90), 60)


async def _any_done(party: Party) -> bool:
    return "DONE" in (await party.runs.view("r1")).counts()


async def test_worker_that_was_thought_dead_completes_nothing(crew: Crew, party: Party) -> None:
    """It hangs for longer than its lease, another one does the task, then it goes on."""
    await party.orchestrator()
    slow = crew.worker("slow")
    await party.run(task(instructions={"seconds": 1}))
    await eventually(lambda: _held_by(party, "slow"))
    slow.send_signal(signal.SIGSTOP)
    crew.worker("second")
    found = await all_of(party, 30)
    slow.send_signal(signal.SIGCONT)
    assert [one.worker for one in found if one.trigger is TaskTrigger.COMPLETE] == ["second"]
    await eventually(lambda: _said(slow, b"result refused", b"not ours"))
    assert (await party.runs.view("r1")).tasks["t1"].worker == "second"


def _said(child: subprocess.Popen[bytes], *texts: bytes) -> bool:
    assert child.stderr is not None
    os.set_blocking(child.stderr.fileno(), False)
    said = child.stderr.read() or b""
    return any(text in said for text in texts)


async def _held_by(party: Party, worker: str) -> bool:
    view = (await party.runs.view("r1")).tasks["t1"]
    return view.state is TaskState.RUNNING and view.worker == worker


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_stopped_worker_hands_its_task_back(
    crew: Crew, party: Party, number: signal.Signals
) -> None:
    """That is no failed attempt, and the next worker need not wait for the lease to end."""
    await party.orchestrator()
    first = crew.worker("first", "--grace", "0.1")
    await party.run(task(instructions={"seconds": 600}, max_attempts=1))
    await eventually(lambda: _held_by(party, "first"))
    first.send_signal(number)
    assert await asyncio.to_thread(first.wait, 20) == 0
    view = (await party.runs.view("r1")).tasks["t1"]
    assert (view.state, view.attempt) == (TaskState.READY, 0)
    crew.worker("second")
    await eventually(lambda: _held_by(party, "second"))


async def test_stopped_worker_finishes_what_it_can(crew: Crew, party: Party) -> None:
    await party.orchestrator()
    first = crew.worker("first")
    await party.run(task(instructions={"seconds": 0.5}))
    await eventually(lambda: _held_by(party, "first"))
    first.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(first.wait, 20) == 0
    assert (await all_of(party, 20))[-1].phase is RunPhase.SUCCEEDED


async def test_worker_whose_tasks_kill_it_is_not_fed_for_ever(crew: Crew, party: Party) -> None:
    """A task that takes its worker down every time is dead after its attempts, with the reason."""
    await party.orchestrator()
    await party.run(task(instructions={"seconds": 600}, max_attempts=2))
    for name in ("first", "second"):
        child = crew.worker(name)
        await eventually(partial(_held_by, party, name))
        child.kill()
    crew.worker("third")
    await all_of(party, 30)
    view = (await party.runs.view("r1")).tasks["t1"]
    assert view.state is TaskState.DEAD
    assert view.reason == "worker second was lost in attempt 2, the last"
