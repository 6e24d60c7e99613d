"""Tasks from submission to their end, with real workers and a real orchestrator."""

import asyncio

import pytest

from cortex.engine.claims import Claim, TaskResult
from cortex.engine.state_machine import RunPhase, TaskState
from cortex.errors import (
    AgentFailedError,
    IllegalTransitionError,
    InvalidPlanError,
    ModelAnswerError,
)
from tests.support.coordinating import LEASE, Party, task
from tests.support.eventually import eventually


async def test_run_ends_when_its_tasks_are_done(party: Party) -> None:
    await party.orchestrator()
    await party.worker()
    await party.run(task("t1"), task("t2"))
    run = await party.end_of()
    assert run.phase is RunPhase.SUCCEEDED
    assert run.outcome == {"tasks": {"DONE": 2}}
    assert run.tasks["t1"].result == {"attempt": 1, "worker": "worker-1"}


async def test_task_waits_for_what_it_depends_on(party: Party) -> None:
    order: list[str] = []

    async def note(claim: Claim) -> TaskResult:
        order.append(claim.task.task_id)
        return TaskResult()

    await party.orchestrator()
    await party.worker(note)
    await party.run(
        task("c", depends_on=("a", "b"), priority=0), task("b", depends_on=("a",)), task("a")
    )
    await party.end_of()
    assert order == ["a", "b", "c"]


async def test_higher_priority_comes_first(party: Party) -> None:
    order: list[str] = []

    async def note(claim: Claim) -> TaskResult:
        order.append(claim.task.task_id)
        return TaskResult()

    await party.orchestrator()
    run_id = await party.run(*(task(f"p{n}", priority=n) for n in (2, 1, 0)))
    await eventually(lambda: _all_queued(party, run_id, 3))
    await party.worker(note)
    await party.end_of()
    assert order == ["p0", "p1", "p2"]


async def _all_queued(party: Party, run_id: str, count: int) -> bool:
    return len(await party.coordination.queue.subjects(run_id)) == count


async def test_failed_attempt_is_followed_by_another(party: Party) -> None:
    await party.orchestrator()
    await party.worker()
    await party.run(task(instructions={"failures": 2}, retry_seconds=0.01))
    view = (await party.end_of()).tasks["t1"]
    assert (view.state, view.attempt) == (TaskState.DONE, 3)


async def test_task_is_dead_after_its_last_attempt_with_the_reason(party: Party) -> None:
    await party.orchestrator()
    await party.worker()
    await party.run(
        task(instructions={"failures": 9}, retry_seconds=0.01, max_attempts=2),
        task("t2", depends_on=("t1",)),
    )
    run = await party.end_of()
    assert run.phase is RunPhase.FAILED
    assert run.reason == "task t1: RuntimeError: told to fail in attempt 2"
    assert run.tasks["t2"].state is TaskState.CANCELLED
    assert run.tasks["t2"].reason == "depends on t1, which is DEAD"


async def test_failure_that_would_come_again_is_not_tried_again(party: Party) -> None:
    async def fail(claim: Claim) -> TaskResult:
        raise ModelAnswerError(model="m", reason="rubbish")

    await party.orchestrator()
    await party.worker(fail)
    await party.run(task())
    view = (await party.end_of()).tasks["t1"]
    assert (view.state, view.attempt) == (TaskState.DEAD, 1)


async def test_resumed_run_tries_dead_tasks_again(party: Party) -> None:
    attempts: list[int] = []

    async def fail_once(claim: Claim) -> TaskResult:
        attempts.append(claim.attempt)
        if len(attempts) == 1:
            raise AgentFailedError(agent_id="a", task_id="t1", attempt=1)
        return TaskResult()

    await party.orchestrator()
    await party.worker(fail_once)
    run_id = await party.run(task(max_attempts=1), task("t2", depends_on=("t1",)))
    assert (await party.end_of()).phase is RunPhase.FAILED
    await party.runs.resume(run_id)
    await eventually(lambda: _phase_is(party, RunPhase.SUCCEEDED))
    assert attempts == [1, 1, 1]


async def _phase_is(party: Party, phase: RunPhase) -> bool:
    return (await party.runs.view("r1")).phase is phase


async def test_refused_task_is_no_failure(party: Party) -> None:
    await party.orchestrator()
    await party.worker()
    await party.run(task(instructions={"refuse": "no such file"}))
    run = await party.end_of()
    assert run.phase is RunPhase.SUCCEEDED
    assert (run.tasks["t1"].state, run.tasks["t1"].reason) == (TaskState.REFUSED, "no such file")


async def test_reviewer_sends_back_and_then_accepts(party: Party) -> None:
    seen: list[tuple[int, str]] = []

    async def work(claim: Claim) -> TaskResult:
        seen.append((claim.round, claim.objection))
        if claim.round == 2 and claim.attempt == 1:
            raise AgentFailedError(agent_id="a", task_id="t1", attempt=1)  # is no objection
        return TaskResult(document={"round": claim.round})

    async def review(claim: Claim) -> TaskResult:
        assert claim.is_review
        assert claim.result == {"round": claim.round}
        return TaskResult.sent_back("again") if claim.round == 1 else TaskResult()

    await party.orchestrator()
    await party.worker(work)
    await party.worker(review, name="reviewer-1", role="judge")
    await party.run(task(reviewer="judge"))
    view = (await party.end_of()).tasks["t1"]
    assert (view.state, view.round, view.result) == (TaskState.DONE, 2, {"round": 2})
    assert seen == [(1, ""), (2, "again"), (2, "again")]


async def test_reviews_are_bounded(party: Party) -> None:
    async def review(claim: Claim) -> TaskResult:
        return TaskResult.sent_back("never good enough")

    await party.orchestrator()
    await party.worker()
    await party.worker(review, name="reviewer-1", role="judge")
    await party.run(task(reviewer="judge", max_rounds=2))
    view = (await party.end_of()).tasks["t1"]
    assert view.state is TaskState.REFUSED
    assert view.reason == "not accepted after 2 rounds: never good enough"


async def test_cancelled_run_ends_its_tasks_and_their_handlers(party: Party) -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def hang(claim: Claim) -> TaskResult:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            assert claim.is_lost.is_set()
            ended.set()
        return TaskResult()

    await party.orchestrator()
    await party.worker(hang)
    run_id = await party.run(task("t1"), task("t2", depends_on=("t1",)))
    await started.wait()
    await party.runs.cancel(run_id, "changed my mind")
    run = await party.end_of()
    assert run.phase is RunPhase.CANCELLED
    assert {view.state for view in run.tasks.values()} == {TaskState.CANCELLED}
    assert run.tasks["t2"].reason == "changed my mind"
    async with asyncio.timeout(10):
        await ended.wait()
    await eventually(lambda: _all_queued(party, run_id, 0))


async def test_paused_run_begins_nothing_until_it_is_resumed(party: Party) -> None:
    await party.orchestrator()
    run_id = await party.run(task("t1"), task("t2"))
    await eventually(lambda: _states_are(party, {TaskState.READY}))
    await party.runs.pause(run_id)
    await eventually(lambda: _states_are(party, {TaskState.PENDING}))
    await party.worker()
    await eventually(lambda: _all_queued(party, run_id, 0))
    assert await _states_are(party, {TaskState.PENDING})
    await party.runs.resume(run_id)
    assert (await party.end_of()).counts() == {"DONE": 2}


async def _states_are(party: Party, states: set[TaskState]) -> bool:
    run = await party.runs.view("r1")
    return {view.state for view in run.tasks.values()} == states


async def test_run_that_has_ended_cannot_be_paused(party: Party) -> None:
    await party.orchestrator()
    await party.worker()
    run_id = await party.run(task())
    await party.end_of()
    with pytest.raises(IllegalTransitionError, match="pause does not apply to what is SUCCEEDED"):
        await party.runs.pause(run_id)


async def test_task_submitted_twice_is_refused(party: Party) -> None:
    run_id = await party.run(task())
    with pytest.raises(InvalidPlanError, match="has a task of this id"):
        await party.runs.submit([task()])
    assert list((await party.runs.view(run_id)).tasks) == ["t1"]


async def test_task_submitted_too_late_is_cancelled(party: Party) -> None:
    await party.orchestrator()
    await party.worker()
    run_id = await party.run(task())
    await party.end_of()
    await party.runs.submit([task("late")])
    await eventually(lambda: _is_cancelled(party, "late"))
    assert (await party.end_of()).run_id == run_id


async def _is_cancelled(party: Party, task_id: str) -> bool:
    view = (await party.runs.view("r1")).tasks[task_id]
    return view.state is TaskState.CANCELLED and view.reason == "the run had ended"


async def test_rubbish_on_a_tasks_subject_stops_nobody(party: Party) -> None:
    """Whoever may write there can move the subject on, but not what it says."""
    js = party.swarm.bus.js
    run_id = await party.run(task("t1"), task("t2", depends_on=("t1",)))
    await js.publish(f"swarm.coordination.task.{run_id}.t1.mallory", b"\xff rubbish")
    await js.publish(f"swarm.coordination.task.{run_id}.t2.mallory", b"")
    await js.publish(f"swarm.coordination.run.{run_id}.mallory", b"rubbish")
    await party.orchestrator()
    await party.worker()
    run = await party.end_of()
    assert run.counts() == {"DONE": 2}
    assert run.refused_count == 3


async def test_lost_message_of_the_queue_is_put_back(party: Party) -> None:
    """As when an orchestrator dies between a release and its message, or somebody removes one."""
    await party.orchestrator()
    run_id = await party.run(task())
    await eventually(lambda: _all_queued(party, run_id, 1))
    await party.swarm.bus.js.purge_stream("SWARM_TASKS")
    await party.worker()
    assert (await party.end_of()).counts() == {"DONE": 1}


async def test_two_orchestrators_do_everything_once(party: Party) -> None:
    await party.orchestrator("one")
    await party.orchestrator("two")
    await party.worker()
    await party.run(*(task(f"t{n}", depends_on=(f"t{n - 1}",) if n else ()) for n in range(20)))
    run = await party.end_of()
    assert run.counts() == {"DONE": 20}
    assert run.refused_count == 0
    assert {view.attempt for view in run.tasks.values()} == {1}


async def test_long_task_outlives_its_lease(party: Party) -> None:
    """Signs of life keep it with its worker."""

    async def outlast(claim: Claim) -> TaskResult:
        await asyncio.sleep(2.5 * LEASE.total_seconds())
        return TaskResult()

    await party.orchestrator()
    await party.worker(outlast)
    await party.worker(outlast, name="worker-2")
    await party.run(task())
    assert (await party.end_of()).tasks["t1"].attempt == 1


async def test_result_that_is_no_json_is_a_failed_attempt(party: Party) -> None:
    async def answer(claim: Claim) -> TaskResult:
        return TaskResult(document={"what": object()})

    await party.orchestrator()
    await party.worker(answer)
    await party.run(task(max_attempts=1))
    view = (await party.end_of()).tasks["t1"]
    assert view.state is TaskState.DEAD
    assert view.reason.startswith("result is no JSON")
