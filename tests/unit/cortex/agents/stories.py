"""Runs as their transitions tell them, without a bus."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cortex.engine.job import ARCHITECT, CODER, PLAN_TASK, REVIEWER, Job
from cortex.engine.replay import RunState
from cortex.engine.state_machine import RunPhase, TaskTrigger
from cortex.engine.tasks import Task, Transition

MOMENT = datetime(2026, 1, 2, tzinfo=UTC)
JOB = Job(
    run_id="r1", task="fix it", repository=Path("/tmp/r"), base_commit="a" * 40, model="offline"
)


class Story:
    """A run that grows step by step."""

    def __init__(self, job: Job = JOB) -> None:
        self.state = RunState(run_id=job.run_id)
        self._sequence = 0
        self.last: Transition | None = None
        self._step(phase=RunPhase.PLANNING, document=job.as_document())

    def planned(self, *, is_running: bool = True, **result: Any) -> "Story":
        """Have the architect plan, and the run begin."""
        task = Task(task_id=PLAN_TASK, run_id="r1", role=ARCHITECT, title="Plan")
        self._task(task)
        self.ends(PLAN_TASK, TaskTrigger.COMPLETE, result)
        if is_running:
            self._step(phase=RunPhase.RUNNING)
        return self

    def handed_in(self, task_id: str, title: str = "", **result: Any) -> "Story":
        """Have a coder do a task, and a reviewer take it."""
        task = Task(task_id=task_id, run_id="r1", role=CODER, reviewer=REVIEWER, title=title)
        self._task(task)
        self.ends(task_id, TaskTrigger.HAND_IN, result)
        self._claim(task_id, TaskTrigger.REVIEW)
        return self

    def accepted(self, task_id: str, commit: str, **result: Any) -> "Story":
        """Have a change accepted."""
        self.handed_in(task_id, f"Do {task_id}", **result)
        verdict = {"commit": commit, "files": ["a.py"], "event_ids": ["e1"]}
        return self.ends(
            task_id, TaskTrigger.COMPLETE, {**verdict, "workspace_event": f"event of {commit}"}
        )

    def ends(
        self, task_id: str, trigger: TaskTrigger, document: Any = None, reason: str = ""
    ) -> "Story":
        """Have the holder of a task end its claim."""
        fence = self.state.tasks[task_id].fence
        self._step(
            task_id=task_id, trigger=trigger, document=document or {}, reason=reason, fence=fence
        )
        return self

    def _task(self, task: Task) -> None:
        self._step(task_id=task.task_id, trigger=TaskTrigger.CREATE, document=task.as_document())
        self._step(task_id=task.task_id, trigger=TaskTrigger.RELEASE)
        self._claim(task.task_id, TaskTrigger.CLAIM)

    def _claim(self, task_id: str, trigger: TaskTrigger) -> None:
        attempt = self.state.tasks[task_id].attempt + 1
        self._step(task_id=task_id, trigger=trigger, worker="w", attempt=attempt)

    def _step(self, **fields: Any) -> None:
        self._sequence += 1
        self.last = Transition(
            sequence=self._sequence, event_id="", run_id="r1", agent_id="w", at=MOMENT, **fields
        )
        assert self.state.apply(self.last), fields
