"""Agents as workers host them: what is said around the work, and what an error does to others."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cortex.agents import base
from cortex.agents.base import BaseAgent, host_agent, speaker
from cortex.engine.claims import Claim, TaskResult
from cortex.engine.state_machine import RunPhase, TaskState
from cortex.errors import TaskPutOffError, TaskRefusedError
from nervous_system.agent import CRITICAL_FAILURE, HEALTHY, Agent
from nervous_system.schemas import SystemSignal
from tests.support.coordinating import Party, party_at, task
from tests.support.eventually import eventually
from tests.support.servers import NatsServer

PUT_OFF = 5


class Doer(BaseAgent):
    """Does what the instructions say."""

    role = "trivial"

    def __init__(self, agent: Agent) -> None:
        super().__init__(agent)
        self.calls = 0

    async def work(self, claim: Claim) -> TaskResult:
        assert speaker.get() is self.agent
        self.calls += 1
        told = claim.task.instructions.get("do")
        if told == "raise":
            raise ValueError("no such thing")
        if told == "refuse":
            raise TaskRefusedError(reason="must not be done")
        if told == "put off" and self.calls <= PUT_OFF:
            raise TaskPutOffError(reason="not here", seconds=0.01)
        return TaskResult(document={"attempt": claim.attempt, "calls": self.calls})


async def signals(party: Party, status: str) -> list[SystemSignal]:
    events = [stored.event async for stored in party.swarm.replay()]
    return [one.system_signal for one in events if one.system_signal.status == status]


@pytest.fixture
async def party(nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[Party]:
    async with party_at(nats_server, tmp_path / "home") as party:
        await party.orchestrator()
        host = await party.stack.enter_async_context(host_agent(party.swarm, "doer-1", Doer))
        await party.worker(host, name="doer-1")
        yield party


async def test_error_is_said_and_the_swarm_goes_on(party: Party) -> None:
    await party.run(task("bad", instructions={"do": "raise"}, max_attempts=1), task("good"))
    run = await party.end_of()
    assert run.phase is RunPhase.FAILED
    assert run.tasks["bad"].reason == "ValueError: no such thing"
    assert run.tasks["good"].state is TaskState.DONE
    [failure] = await signals(party, CRITICAL_FAILURE)
    assert failure.detail == "task bad: ValueError: no such thing"
    assert speaker.get() is None


async def test_refusal_is_no_failure(party: Party) -> None:
    await party.run(task(instructions={"do": "refuse"}))
    run = await party.end_of()
    assert (run.phase, run.tasks["t1"].state) == (RunPhase.SUCCEEDED, TaskState.REFUSED)
    assert await signals(party, CRITICAL_FAILURE) == []


async def test_task_that_is_put_off_comes_again_and_loses_no_attempt(party: Party) -> None:
    await party.run(task(instructions={"do": "put off"}, max_attempts=1))
    view = (await party.end_of()).tasks["t1"]
    assert view.result == {"attempt": 1, "calls": PUT_OFF + 1}
    assert await signals(party, CRITICAL_FAILURE) == []


async def test_agent_says_that_it_lives_and_what_it_takes(
    party: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "HEARTBEAT_SECONDS", 0.01)
    await party.run(task())
    await party.end_of()

    async def has_beaten() -> bool:
        beats = await signals(party, HEALTHY)
        return len(beats) > 1 and beats[-1].memory_usage_mb > 0

    await eventually(has_beaten)


async def test_life_of_an_agent_is_that_of_a_run(party: Party) -> None:
    """The next run has a new agent: what it says belongs there."""
    for run_id in ("r1", "r2"):
        await party.run(task(run_id=run_id), run_id=run_id)
        assert (await party.end_of(run_id)).tasks["t1"].result["calls"] == 1
    events = [stored.event async for stored in party.swarm.replay()]
    assert {one.run_id for one in events} == {"r1", "r2"}
