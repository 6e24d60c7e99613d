"""Runs from the command line, on a whole stack, and what history keeps of them."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cortex.engine.coordination import open_coordination
from cortex.engine.runs import RunClient
from cortex.engine.tasks import Task
from nervous_system import connect
from nervous_system.config import SwarmConfig
from tests.support.coordinating import task
from tests.support.eventually import eventually_blocking
from tests.support.stacks import SWARM, Stack


def submit(stack: Stack, *tasks: Task, run_id: str = "r1") -> None:
    """Make a run of tasks, as the operator."""

    async def work() -> None:
        config = SwarmConfig.from_env({}, home=stack.root, url=stack.record["nats_url"])
        async with connect(config=config) as swarm, open_coordination(swarm, "test") as part:
            runs = RunClient(part)
            await runs.create({"task": "tidy up", "model": "offline"}, run_id=run_id)
            await runs.submit(tasks)
            await runs.start(run_id)

    asyncio.run(work())


@contextmanager
def service(stack: Stack, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command of `swarm` beside the test; it ends as it should when it is asked to."""
    child = subprocess.Popen([SWARM, *arguments, "--home", str(stack.root)], env=dict(os.environ))
    try:
        yield child
        child.terminate()
        assert child.wait(20) == 0
    finally:
        child.kill()
        child.wait()


def states(stack: Stack, *arguments: str) -> dict[str, str]:
    return {row["task_id"]: row["state"] for row in stack.json("tasks", "r1", *arguments)}


@pytest.mark.timeout(120)
def test_run_is_worked_on_and_kept_in_history(stack: Stack) -> None:
    """Transitions are events of the second stream, in `swarm.events` like all others."""
    submit(stack, task("t1"), task("t2", depends_on=("t1",), instructions={"refuse": "why not"}))
    with service(stack, "orchestrate"), service(stack, "worker", "--role", "trivial"):
        eventually_blocking(lambda: states(stack) == {"t1": "DONE", "t2": "REFUSED"})
    assert stack.json("tasks") == []
    rows = stack.sql(
        "select task_id, arrayStringConcat(groupArray(task_trigger), ' ') as steps,"
        " countIf(not is_authenticated) as unproven"
        " from (select * from swarm.events where kind = 'task_transition' and run_id = 'r1'"
        " and stream like 'SWARM_COORDINATION%' order by stream_seq) group by task_id order by 1"
    )
    assert rows == [
        {"task_id": "t1", "steps": "create release claim complete", "unproven": 0},
        {"task_id": "t2", "steps": "create release claim refuse", "unproven": 0},
    ]
    runs = stack.sql("select run_state from swarm.runs where run_id = 'r1'")
    assert runs == [{"run_state": "SUCCEEDED"}]
    assert stack.json("verify")["ok"]


@pytest.mark.timeout(120)
def test_run_is_paused_resumed_and_cancelled(stack: Stack) -> None:
    submit(stack, task("t1"), task("t2", title="the second", depends_on=("t1",)))
    with service(stack, "orchestrate"):
        eventually_blocking(lambda: states(stack) == {"t1": "READY", "t2": "PENDING"})
        assert stack.json("pause", "r") == {"run_id": "r1", "state": "PAUSED"}
        eventually_blocking(lambda: states(stack) == {"t1": "PENDING", "t2": "PENDING"})
        assert stack.swarm("resume", "r1").stdout == "run r1 is RUNNING\n"
        eventually_blocking(lambda: states(stack) == {"t1": "READY", "t2": "PENDING"})
        done = stack.swarm("cancel", "r1", "--reason", "no time")
        assert (done.stdout, done.stderr) == ("run r1 is CANCELLED\n", "")
        assert states(stack) == {"t1": "CANCELLED", "t2": "CANCELLED"}
    assert stack.json("tasks", "r1")[1]["reason"] == "no time"
    refused = stack.swarm("resume", "r1", expected=1).stderr
    assert refused == (
        "swarm: resume does not apply to what is CANCELLED; possible: nothing, it is at its end\n"
    )


@pytest.mark.timeout(120)
def test_wish_without_an_orchestrator_is_recorded_and_said(stack: Stack) -> None:
    """The next orchestrator carries it out, whenever it comes."""
    submit(stack, task("t1"), task("t2", depends_on=("t1",)))
    done = stack.swarm("cancel", "r1", "--reason", "no time")
    assert done.stdout == "run r1 is CANCELLING\n"
    assert "recorded" in done.stderr
    assert "`swarm orchestrate` carries it out" in done.stderr
    with service(stack, "orchestrate"):
        eventually_blocking(lambda: states(stack) == {"t1": "CANCELLED", "t2": "CANCELLED"})
    assert stack.json("cancel", "r1") == {"run_id": "r1", "state": "CANCELLED"}


def test_unknown_runs_and_roles_are_said_in_a_line(stack: Stack) -> None:
    missing = stack.swarm("pause", "nowhere", expected=1).stderr
    assert missing == ("swarm: no run 'nowhere': `swarm tasks` lists those that are under way\n")
    assert "no worker for role 'x'" in stack.swarm("worker", "--role", "x", expected=2).stderr
    wrong = stack.swarm("worker", "--role", "x", "--handler", "nowhere:at_all", expected=2).stderr
    assert "expected MODULE:FUNCTION" in wrong


def test_dead_tasks_are_listed_with_their_reason(stack: Stack) -> None:
    submit(stack, task("t1", instructions={"failures": 5}, max_attempts=1))
    with service(stack, "orchestrate"), service(stack, "worker", "--role", "trivial"):
        eventually_blocking(lambda: states(stack) == {"t1": "DEAD"})
    (dead,) = stack.json("tasks", "--dead")
    assert (dead["task_id"], dead["attempt"], dead["reason"]) == (
        "t1",
        1,
        "RuntimeError: told to fail in attempt 1",
    )
