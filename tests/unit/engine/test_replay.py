"""What counts in a run's transitions, and what changes nothing."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from cortex.engine.replay import RunState, TaskView
from cortex.engine.state_machine import RunPhase, TaskState, TaskTrigger
from cortex.engine.steps import Close, Enqueue, Move, next_steps
from cortex.engine.tasks import Task, Transition, check_tasks, parse_task, read_transition
from cortex.errors import InvalidPlanError

MOMENT = datetime(2026, 1, 2, tzinfo=UTC)


class Story:
    """A run, told step by step."""

    def __init__(self, *phases: RunPhase) -> None:
        self.run = RunState(run_id="r")
        for phase in (RunPhase.PLANNING, *phases):
            self.then(phase=phase)

    def then(self, **fields: Any) -> bool:
        return self.run.apply(
            Transition(
                sequence=self.run.last_sequence + 1,
                event_id="e",
                run_id="r",
                agent_id="a",
                at=MOMENT,
                **fields,
            )
        )

    def task(self, trigger: TaskTrigger, **fields: Any) -> bool:
        return self.then(task_id="t", trigger=trigger, **fields)

    def claimed(self, **fields: Any) -> TaskView:
        document = Task(task_id="t", run_id="r", role="x", **fields).as_document()
        self.task(TaskTrigger.CREATE, document=document)
        self.task(TaskTrigger.RELEASE)
        self.task(TaskTrigger.CLAIM, worker="w")
        return self.view

    @property
    def view(self) -> TaskView:
        return self.run.tasks["t"]


def test_end_under_a_lost_claim_changes_nothing() -> None:
    story = Story(RunPhase.RUNNING)
    lost = story.claimed()
    story.task(TaskTrigger.CLAIM, worker="second")
    assert not story.task(TaskTrigger.COMPLETE, fence=lost.fence)
    assert story.view.state is TaskState.RUNNING
    assert story.task(TaskTrigger.COMPLETE, fence=story.view.fence)
    assert not story.task(TaskTrigger.COMPLETE, fence=story.view.fence)


def test_what_changes_nothing_moves_the_sequence_on() -> None:
    story = Story(RunPhase.RUNNING)
    before = story.claimed()
    story.then(task_id="t")
    assert story.view == replace(before, sequence=before.sequence + 1)


def test_withdrawn_task_keeps_its_attempts() -> None:
    story = Story(RunPhase.RUNNING)
    story.task(TaskTrigger.FAIL, fence=story.claimed().fence)
    story.task(TaskTrigger.WITHDRAW)
    assert (story.view.state, story.view.generation) == (TaskState.PENDING, 0)
    story.task(TaskTrigger.RELEASE)
    assert story.view.attempt == 1


def test_task_that_is_handed_back_has_used_no_attempt() -> None:
    story = Story(RunPhase.RUNNING)
    story.task(TaskTrigger.HAND_BACK, fence=story.claimed().fence)
    assert (story.view.state, story.view.attempt) == (TaskState.READY, 0)


def handed_in(story: Story, **document: Any) -> None:
    """As a worker hands in, after a failed attempt."""
    story.task(TaskTrigger.FAIL, fence=story.view.fence)
    story.task(TaskTrigger.CLAIM, worker="w")
    story.task(TaskTrigger.HAND_IN, fence=story.view.fence, document=document)


def test_each_stay_in_a_queue_has_its_own_attempts() -> None:
    """Those of the work are not those of the review, nor of the next round."""
    story = Story(RunPhase.RUNNING)
    story.claimed(reviewer="y")
    handed_in(story)
    assert (story.view.attempt, story.view.is_in_review) == (0, True)
    story.task(TaskTrigger.REVIEW, worker="v")
    assert story.view.attempt == 1
    story.task(TaskTrigger.SEND_BACK, fence=story.view.fence)
    assert (story.view.attempt, story.view.is_in_review, story.view.round) == (0, False, 2)


def test_what_a_review_says_stands_beside_the_result() -> None:
    story = Story(RunPhase.RUNNING)
    story.claimed(reviewer="y")
    handed_in(story, work=1)
    story.task(TaskTrigger.REVIEW, worker="v")
    story.task(TaskTrigger.COMPLETE, fence=story.view.fence, document={"verdict": 2})
    assert (story.view.result, story.view.verdict) == ({"work": 1}, {"verdict": 2})


def test_task_that_comes_to_life_again_begins_from_the_start() -> None:
    """In its first round and attempt, also where it had died in review."""
    story = Story(RunPhase.RUNNING)
    story.claimed(reviewer="y")
    handed_in(story)
    story.task(TaskTrigger.REVIEW, worker="v")
    story.task(TaskTrigger.SEND_BACK, fence=story.view.fence)
    story.task(TaskTrigger.CLAIM, worker="w")
    handed_in(story)
    story.task(TaskTrigger.REVIEW, worker="v")
    assert story.task(TaskTrigger.FAIL, fence=story.view.fence)
    assert story.task(TaskTrigger.BURY)
    assert story.task(TaskTrigger.REVIVE)
    view = story.view
    assert (view.state, view.attempt, view.round, view.is_in_review) == (
        TaskState.PENDING,
        0,
        1,
        False,
    )


def test_pause_and_resume_bring_nobody_back_to_life() -> None:
    """Only what had died before its run failed is tried again."""
    story = Story(RunPhase.RUNNING)
    story.task(TaskTrigger.FAIL, fence=story.claimed().fence)
    story.task(TaskTrigger.BURY)
    story.then(phase=RunPhase.PAUSED)
    story.then(phase=RunPhase.RUNNING)
    assert story.view.state is TaskState.DEAD
    assert not any(isinstance(step, Move) for step in next_steps(story.run))


def needing(story: Story) -> None:
    """Add a task that depends on the first one."""
    document = Task(task_id="u", run_id="r", role="x", depends_on=("t",)).as_document()
    story.then(task_id="u", trigger=TaskTrigger.CREATE, document=document)


def test_task_whose_need_was_refused_is_cancelled() -> None:
    story = Story(RunPhase.RUNNING)
    claimed = story.claimed()
    needing(story)
    story.task(TaskTrigger.REFUSE, fence=claimed.fence)
    wanted = Move("u", TaskTrigger.CANCEL, "depends on t, which is REFUSED")
    assert next_steps(story.run) == [wanted]


def test_task_waits_for_a_need_that_comes_to_life_again() -> None:
    story = Story(RunPhase.RUNNING)
    claimed = story.claimed()
    needing(story)
    story.task(TaskTrigger.FAIL, fence=claimed.fence)
    story.task(TaskTrigger.BURY)
    story.then(phase=RunPhase.FAILED)
    story.then(phase=RunPhase.RUNNING)
    assert next_steps(story.run) == [Move("t", TaskTrigger.REVIVE)]


def test_task_that_comes_after_the_end_is_cancelled() -> None:
    story = Story(RunPhase.RUNNING)
    story.task(TaskTrigger.COMPLETE, fence=story.claimed().fence)
    story.then(phase=RunPhase.SUCCEEDED)
    needing(story)
    assert next_steps(story.run) == [Move("u", TaskTrigger.CANCEL, "the run had ended")]


def test_result_in_review_is_not_worked_on() -> None:
    story = Story(RunPhase.RUNNING)
    story.task(TaskTrigger.HAND_IN, fence=story.claimed(reviewer="y").fence, document={"a": 1})
    assert (story.view.queue_role, story.view.result) == ("y", {"a": 1})
    assert not story.task(TaskTrigger.CLAIM)
    assert story.task(TaskTrigger.REVIEW)


def test_paused_run_takes_ready_tasks_back_and_lets_reviews_go_on() -> None:
    story = Story(RunPhase.RUNNING)
    fence = story.claimed(reviewer="y").fence
    story.then(phase=RunPhase.PAUSED)
    story.task(TaskTrigger.HAND_IN, fence=fence)
    assert next_steps(story.run) == [Enqueue("t", story.view.generation)]
    story.task(TaskTrigger.REVIEW)
    story.task(TaskTrigger.SEND_BACK, fence=story.view.fence)
    assert next_steps(story.run) == [Move("t", TaskTrigger.WITHDRAW, "the run is paused")]


def test_resumed_run_revives_what_had_died_once() -> None:
    story = Story(RunPhase.RUNNING)
    story.claimed()
    story.task(TaskTrigger.BURY, reason="boom")
    assert next_steps(story.run) == [Close(RunPhase.FAILED, "task t: boom")]
    story.then(phase=RunPhase.FAILED)
    story.then(phase=RunPhase.RUNNING)
    assert next_steps(story.run) == [Move("t", TaskTrigger.REVIVE)]
    story.task(TaskTrigger.REVIVE)
    story.task(TaskTrigger.RELEASE)
    story.task(TaskTrigger.CLAIM)
    story.task(TaskTrigger.BURY, reason="boom again")
    assert next_steps(story.run) == [Close(RunPhase.FAILED, "task t: boom again")]


def test_run_that_is_being_planned_does_not_end_by_itself() -> None:
    assert next_steps(Story().run) == []
    assert next_steps(Story(RunPhase.RUNNING).run) == [Close(RunPhase.SUCCEEDED)]
    assert next_steps(Story(RunPhase.CANCELLING).run) == [Close(RunPhase.CANCELLED)]


def test_delay_doubles_up_to_a_minute() -> None:
    task = Task(task_id="t", run_id="r", role="x", retry_seconds=2)
    assert [task.retry_delay(attempt) for attempt in (1, 2, 3, 9, 10_000)] == [2, 4, 8, 60, 60]


def test_task_is_read_back_as_it_was() -> None:
    task = Task(task_id="t", run_id="r", role="x", depends_on=("a",), instructions={"n": [1]})
    assert parse_task({**task.as_document(), "of a newer version": 1}) == task


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"role": ""}, "has no role"),
        ({"task_id": "x" * 401}, "task_id takes 401 bytes, at most 400"),
        ({"task_id": "\ud800"}, "not UTF-8"),
        ({"priority": 3}, "priority is 3"),
        ({"max_attempts": 0}, "allows no attempt"),
        ({"instructions": {"a": object()}}, "no JSON"),
        ({"instructions": {"a": "x" * 1_100_000}}, "bytes, at most"),
        ({"depends_on": ("nobody",)}, "depends on 'nobody', which the run has not"),
        ({"depends_on": ("t",)}, "depends on itself"),
    ],
)
def test_task_that_cannot_be_worked_on_is_refused(fields: dict[str, Any], reason: str) -> None:
    task = Task(**{"task_id": "t", "run_id": "r", "role": "x", **fields})
    with pytest.raises(InvalidPlanError, match=reason):
        check_tasks([task])


def test_message_on_another_subject_is_none_of_ours() -> None:
    assert read_transition(b"", "swarm.coordination.claim.k.a", 1, MOMENT) is None
    assert read_transition(b"", "swarm.coordination.task.r.%zz.a", 1, MOMENT) is None
    found = read_transition(b"\xff", "swarm.coordination.task.r.t%2E1.a", 1, MOMENT)
    assert found is not None
    assert (found.run_id, found.task_id, found.agent_id) == ("r", "t.1", "a")
