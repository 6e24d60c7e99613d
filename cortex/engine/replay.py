"""The state of a run, as its transitions make it. Pure.

Anybody who may write on the subjects can write anything there, and rivals write what has become
wrong in the meantime: a transition that does not apply, or is not made under the present claim,
changes nothing. So no completion counts twice, whoever sends it. `refused_count` says how many
there were.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from cortex.engine.state_machine import (
    ENDED_RUN_PHASES,
    ENDED_TASK_STATES,
    RunPhase,
    RunTrigger,
    TaskState,
    TaskTrigger,
    apply_task,
    trigger_between,
)
from cortex.engine.tasks import Task, Transition, parse_task
from cortex.errors import IllegalTransitionError, InvalidPlanError

_CLAIMS = frozenset({TaskTrigger.CLAIM, TaskTrigger.REVIEW})
_FOR_WORK = frozenset({TaskTrigger.CLAIM, TaskTrigger.WITHDRAW})
"""What does not apply while a result waits for its verdict."""
_BY_HOLDER = frozenset(
    {
        TaskTrigger.COMPLETE,
        TaskTrigger.HAND_BACK,
        TaskTrigger.HAND_IN,
        TaskTrigger.SEND_BACK,
        TaskTrigger.REFUSE,
        TaskTrigger.FAIL,
    }
)
"""What only the present holder can do; the others are conditioned on the sequence alone."""
_QUEUED = frozenset({TaskTrigger.RELEASE, TaskTrigger.HAND_IN, TaskTrigger.SEND_BACK})
"""What puts a task into a queue; the sequence of that step names the message there."""

_UNQUEUED = frozenset(
    {
        TaskTrigger.WITHDRAW,
        TaskTrigger.COMPLETE,
        TaskTrigger.REFUSE,
        TaskTrigger.BURY,
        TaskTrigger.CANCEL,
        TaskTrigger.REVIVE,
    }
)
"""After these, a message in a queue stands for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """What is known about one task."""

    task: Task
    state: TaskState
    sequence: int
    """Of the last transition on its subjects, whether it counted or not: what the next one is
    conditioned on."""
    changed_sequence: int
    """Of the last transition that counted."""
    changed_at: datetime
    fence: int = 0
    """Sequence of the present claim; 0: nobody holds it."""
    worker: str = ""
    """Who holds it, or held it last."""
    attempt: int = 0
    """Number of the present attempt, or of the last; from 1 in each round of work or review."""
    round: int = 1
    """Grows each time a reviewer sends it back."""
    is_in_review: bool = False
    """Its present result waits for a verdict."""
    generation: int = 0
    """Sequence of the step that put it into a queue last; 0: in none."""
    result: Mapping[str, Any] = field(default_factory=dict)
    """What the worker handed in or completed with."""
    verdict: Mapping[str, Any] = field(default_factory=dict)
    """What the reviewer said of it, last."""
    reason: str = ""
    """Why it failed, was refused or sent back, last."""
    event_id: str = ""
    """Of the last transition that counted."""

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens to it, unless its failed run is resumed."""
        return self.state in ENDED_TASK_STATES

    @property
    def is_queued(self) -> bool:
        """Whether a message in the queue stands for it."""
        return self.generation > 0

    @property
    def queue_role(self) -> str:
        """Role of the workers who are to take it now."""
        return self.task.reviewer if self.is_in_review else self.task.role


@dataclass(slots=True, kw_only=True)
class RunState:
    """Everything about one run; `replay` makes it, `apply` brings it one step further."""

    run_id: str
    phase: RunPhase | None = None
    """None: its creation has not been seen."""
    document: Mapping[str, Any] = field(default_factory=dict)
    """What it was created with: task, repository, ..."""
    outcome: Mapping[str, Any] = field(default_factory=dict)
    """What it ended with; empty before."""
    reason: str = ""
    sequence: int = 0
    """Of the last transition on the run's own subjects."""
    changed_sequence: int = 0
    """Of the last of these that counted."""
    created_at: datetime | None = None
    changed_at: datetime | None = None
    event_id: str = ""
    """Of the last transition of the run that counted."""
    resumed_sequence: int = 0
    """When it was last resumed after it had failed: what was dead before comes to life again."""
    is_planned: bool = False
    """No tasks will come but from its own."""
    tasks: dict[str, TaskView] = field(default_factory=dict)
    last_sequence: int = 0
    """Of the last transition of any kind; earlier ones are known already."""
    refused_count: int = 0
    """Transitions that changed nothing."""
    dependents: dict[str, list[str]] = field(default_factory=dict, repr=False)
    """Task id to those that depend on it."""
    open_count: int = 0
    """Tasks that have not ended."""

    @property
    def has_ended(self) -> bool:
        """Whether the run has."""
        return self.phase in ENDED_RUN_PHASES

    @classmethod
    def replay(
        cls, run_id: str, transitions: Iterable[Transition], after: "RunState | None" = None
    ) -> "RunState":
        """Return the state after `transitions`, in stream order, following those of `after`."""
        state = cls(run_id=run_id) if after is None else after.copy()
        for transition in transitions:
            state.apply(transition)
        return state

    def copy(self) -> "RunState":
        """Return a state that changes apart from this one."""
        return replace(
            self,
            tasks=dict(self.tasks),
            dependents={task_id: list(ids) for task_id, ids in self.dependents.items()},
        )

    def counts(self) -> dict[str, int]:
        """Return how many tasks are in which state."""
        found: dict[str, int] = {}
        for view in self.tasks.values():
            found[view.state] = found.get(view.state, 0) + 1
        return found

    def apply(self, transition: Transition) -> bool:
        """Take one step; False where it changed nothing: known already, foreign or not allowed."""
        if transition.run_id != self.run_id or transition.sequence <= self.last_sequence:
            return False
        self.last_sequence = transition.sequence
        try:
            if transition.task_id:
                self._apply_task(transition)
            else:
                self._apply_run(transition)
        except (IllegalTransitionError, InvalidPlanError):
            self.refused_count += 1
            return False
        return True

    def _apply_run(self, transition: Transition) -> None:
        self.sequence = transition.sequence
        phase = transition.phase
        if phase is None:
            raise InvalidPlanError(task_id="", reason="no phase")
        trigger = trigger_between(self.phase, phase)
        if trigger is RunTrigger.CREATE:
            self.document = transition.document
            self.created_at = transition.at
        if phase in ENDED_RUN_PHASES:
            self.outcome = transition.document
        if self.phase is RunPhase.FAILED:
            self.resumed_sequence = transition.sequence
        self.is_planned = self.is_planned or (
            trigger is RunTrigger.START or phase is RunPhase.RUNNING
        )
        self.phase = phase
        self.reason = transition.reason
        self.changed_sequence = transition.sequence
        self.changed_at = transition.at
        self.event_id = transition.event_id

    def _apply_task(self, transition: Transition) -> None:
        found = self.tasks.get(transition.task_id)
        if found is None:
            view = _created(transition)
            self.tasks[transition.task_id] = view
            self.open_count += 1
            for needed in view.task.depends_on:
                self.dependents.setdefault(needed, []).append(transition.task_id)
            return
        try:
            view = advance(found, transition)
        except IllegalTransitionError:
            self.tasks[transition.task_id] = replace(found, sequence=transition.sequence)
            raise
        self.tasks[transition.task_id] = view
        self.open_count += found.has_ended - view.has_ended


def _created(transition: Transition) -> TaskView:
    if transition.trigger is None:
        raise InvalidPlanError(task_id=transition.task_id, reason="no trigger")
    state = apply_task(None, transition.trigger)
    task = parse_task(transition.document)
    if task.task_id != transition.task_id or task.run_id != transition.run_id:
        raise InvalidPlanError(task_id=transition.task_id, reason="the document names another")
    return TaskView(
        task=task,
        state=state,
        sequence=transition.sequence,
        changed_sequence=transition.sequence,
        changed_at=transition.at,
        event_id=transition.event_id,
    )


def advance(view: TaskView, transition: Transition) -> TaskView:
    """Return what is known after one more transition of the same task.

    Raises:
        IllegalTransitionError: it does not apply, or is not made under the present claim.
    """
    trigger = transition.trigger
    if trigger is None:
        raise IllegalTransitionError(state=view.state, trigger="nothing", allowed=())
    state = apply_task(view.state, trigger)
    _check_claim(view, trigger, transition)
    if transition.state is not None and transition.state is not state:
        raise IllegalTransitionError(
            state=view.state, trigger=f"{trigger} to {transition.state}", allowed=[state]
        )
    moved = replace(
        view,
        state=state,
        sequence=transition.sequence,
        changed_sequence=transition.sequence,
        changed_at=transition.at,
        event_id=transition.event_id,
        reason=transition.reason or view.reason,
    )
    return replace(moved, **_consequences(view, trigger, transition))


def _check_claim(view: TaskView, trigger: TaskTrigger, transition: Transition) -> None:
    is_fenced = trigger in _BY_HOLDER
    if is_fenced and (not view.fence or transition.fence != view.fence):
        raise IllegalTransitionError(
            state=view.state, trigger=f"{trigger} under claim {transition.fence}", allowed=()
        )
    is_mistaken = (trigger in _FOR_WORK and view.is_in_review) or (
        trigger is TaskTrigger.REVIEW and not view.is_in_review
    )
    if is_mistaken:
        raise IllegalTransitionError(state=view.state, trigger=trigger, allowed=())


def _consequences(view: TaskView, trigger: TaskTrigger, transition: Transition) -> dict[str, Any]:
    """Return the fields that a trigger changes beside the state."""
    if trigger in _CLAIMS:
        return {
            "fence": transition.sequence,
            "worker": transition.worker,
            "attempt": view.attempt + 1,
        }
    changes: dict[str, Any] = {"fence": 0}
    if trigger in _QUEUED:
        changes |= {"generation": transition.sequence, "attempt": 0}
    if trigger is TaskTrigger.RELEASE:
        changes["attempt"] = view.attempt  # a paused run does not give attempts back
    elif trigger is TaskTrigger.HAND_IN:
        changes |= {"is_in_review": True, "result": transition.document}
    elif trigger is TaskTrigger.SEND_BACK:
        changes |= {"is_in_review": False, "round": view.round + 1}
        changes["verdict"] = transition.document
    elif trigger is TaskTrigger.HAND_BACK:
        changes["attempt"] = max(0, view.attempt - 1)
    elif trigger is TaskTrigger.REVIVE:
        changes |= {"attempt": 0, "round": 1, "is_in_review": False}
    elif trigger in {TaskTrigger.COMPLETE, TaskTrigger.REFUSE}:
        changes["verdict" if view.is_in_review else "result"] = transition.document
    if trigger in _UNQUEUED:
        changes["generation"] = 0
    return changes
