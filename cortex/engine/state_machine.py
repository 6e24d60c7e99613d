"""The states of tasks and runs, and what may follow what. Pure.

A task is PENDING until what it depends on is done, READY until a worker claims it, RUNNING while
one holds it. Then it is DONE, or goes to REVIEW first, from where it may be sent back; REFUSED; or
FAILED, which waits for its next attempt, and DEAD when none is left. REVIEW is both waiting for a
reviewer and being reviewed. DONE and REFUSED are for ever; DEAD and CANCELLED end a task unless its
failed run is resumed. Every trigger is one event, and who writes it is the shell's business.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from cortex.errors import IllegalTransitionError


class TaskState(StrEnum):
    """Where a task stands."""

    PENDING = "PENDING"
    """Waits for tasks that it depends on, or for its paused run."""
    READY = "READY"
    """Waits for a worker."""
    RUNNING = "RUNNING"
    """A worker holds it."""
    REVIEW = "REVIEW"
    """Its result waits for a reviewer, or one holds it."""
    DONE = "DONE"
    REFUSED = "REFUSED"
    """Understood, and not to be done: by its worker or its reviewer, with the reason."""
    FAILED = "FAILED"
    """The last attempt failed; the next one comes after a delay."""
    DEAD = "DEAD"
    """All attempts failed, with the reason of the last."""
    CANCELLED = "CANCELLED"


class TaskTrigger(StrEnum):
    """What happens to a task."""

    CREATE = "create"
    RELEASE = "release"
    """What it depends on is done."""
    WITHDRAW = "withdraw"
    """Its run was paused before a worker came."""
    CLAIM = "claim"
    """A worker takes it, or takes it over from a holder who was lost."""
    REVIEW = "review"
    """A reviewer takes its result, or takes it over."""
    HAND_BACK = "hand_back"
    """The holder ends before the work is done; that is no failure."""
    HAND_IN = "hand_in"
    """The work is done and goes to a reviewer."""
    SEND_BACK = "send_back"
    """The reviewer wants it done again, with reasons."""
    COMPLETE = "complete"
    REFUSE = "refuse"
    FAIL = "fail"
    BURY = "bury"
    """No attempt is left."""
    CANCEL = "cancel"
    REVIVE = "revive"
    """Its failed run was resumed."""


class RunPhase(StrEnum):
    """Where a run stands."""

    PLANNING = "PLANNING"
    """Tasks are worked on, and more will come: it does not end by itself."""
    RUNNING = "RUNNING"
    """Ends when all of its tasks have ended."""
    PAUSED = "PAUSED"
    """What is being worked on goes on; nothing new is begun."""
    CANCELLING = "CANCELLING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    """A task is dead; `resume` tries again."""
    CANCELLED = "CANCELLED"


class RunTrigger(StrEnum):
    """What happens to a run."""

    CREATE = "create"
    START = "start"
    """The plan is complete."""
    PAUSE = "pause"
    RESUME = "resume"
    RESUME_PLANNING = "resume_planning"
    """It was paused, or failed, before the plan was complete."""
    CANCEL = "cancel"
    SUCCEED = "succeed"
    FAIL = "fail"
    END_CANCELLED = "end_cancelled"
    """The last task of a run that is being cancelled has ended."""


_Table = Mapping[TaskState, Mapping[TaskTrigger, TaskState]]
_RunTable = Mapping[RunPhase, Mapping[RunTrigger, RunPhase]]

_HELD: Mapping[TaskTrigger, TaskState] = {
    TaskTrigger.COMPLETE: TaskState.DONE,
    TaskTrigger.REFUSE: TaskState.REFUSED,
    TaskTrigger.FAIL: TaskState.FAILED,
    TaskTrigger.BURY: TaskState.DEAD,
    TaskTrigger.CANCEL: TaskState.CANCELLED,
}
"""What the holder of a task may do, and what may befall it."""

TASK_TRANSITIONS: _Table = MappingProxyType(
    {
        TaskState.PENDING: {
            TaskTrigger.RELEASE: TaskState.READY,
            TaskTrigger.CANCEL: TaskState.CANCELLED,
        },
        TaskState.READY: {
            TaskTrigger.CLAIM: TaskState.RUNNING,
            TaskTrigger.WITHDRAW: TaskState.PENDING,
            TaskTrigger.CANCEL: TaskState.CANCELLED,
        },
        TaskState.RUNNING: {
            **_HELD,
            TaskTrigger.CLAIM: TaskState.RUNNING,
            TaskTrigger.HAND_BACK: TaskState.READY,
            TaskTrigger.HAND_IN: TaskState.REVIEW,
        },
        TaskState.REVIEW: {
            **_HELD,
            TaskTrigger.REVIEW: TaskState.REVIEW,
            TaskTrigger.HAND_BACK: TaskState.REVIEW,
            TaskTrigger.SEND_BACK: TaskState.READY,
        },
        TaskState.FAILED: {
            TaskTrigger.CLAIM: TaskState.RUNNING,
            TaskTrigger.REVIEW: TaskState.REVIEW,
            TaskTrigger.WITHDRAW: TaskState.PENDING,
            TaskTrigger.BURY: TaskState.DEAD,
            TaskTrigger.CANCEL: TaskState.CANCELLED,
        },
        TaskState.DEAD: {TaskTrigger.REVIVE: TaskState.PENDING},
        TaskState.CANCELLED: {TaskTrigger.REVIVE: TaskState.PENDING},
        TaskState.DONE: {},
        TaskState.REFUSED: {},
    }
)

RUN_TRANSITIONS: _RunTable = MappingProxyType(
    {
        RunPhase.PLANNING: {
            RunTrigger.START: RunPhase.RUNNING,
            RunTrigger.PAUSE: RunPhase.PAUSED,
            RunTrigger.CANCEL: RunPhase.CANCELLING,
            RunTrigger.FAIL: RunPhase.FAILED,
        },
        RunPhase.RUNNING: {
            RunTrigger.PAUSE: RunPhase.PAUSED,
            RunTrigger.CANCEL: RunPhase.CANCELLING,
            RunTrigger.SUCCEED: RunPhase.SUCCEEDED,
            RunTrigger.FAIL: RunPhase.FAILED,
        },
        RunPhase.PAUSED: {
            RunTrigger.START: RunPhase.PAUSED,
            RunTrigger.RESUME: RunPhase.RUNNING,
            RunTrigger.RESUME_PLANNING: RunPhase.PLANNING,
            RunTrigger.CANCEL: RunPhase.CANCELLING,
        },
        RunPhase.CANCELLING: {RunTrigger.END_CANCELLED: RunPhase.CANCELLED},
        RunPhase.FAILED: {
            RunTrigger.RESUME: RunPhase.RUNNING,
            RunTrigger.RESUME_PLANNING: RunPhase.PLANNING,
        },
        RunPhase.SUCCEEDED: {},
        RunPhase.CANCELLED: {},
    }
)

ENDED_TASK_STATES = frozenset(
    {TaskState.DONE, TaskState.REFUSED, TaskState.DEAD, TaskState.CANCELLED}
)
ENDED_RUN_PHASES = frozenset({RunPhase.SUCCEEDED, RunPhase.FAILED, RunPhase.CANCELLED})


def apply_task(state: TaskState | None, trigger: TaskTrigger) -> TaskState:
    """Return the state of a task after `trigger`; None is a task that does not exist yet.

    Raises:
        IllegalTransitionError: the trigger does not apply in this state.
    """
    if state is None:
        if trigger is TaskTrigger.CREATE:
            return TaskState.PENDING
        raise IllegalTransitionError(state="ABSENT", trigger=trigger, allowed=[TaskTrigger.CREATE])
    allowed = TASK_TRANSITIONS[state]
    if trigger not in allowed:
        raise IllegalTransitionError(state=state, trigger=trigger, allowed=allowed)
    return allowed[trigger]


def apply_run(phase: RunPhase | None, trigger: RunTrigger) -> RunPhase:
    """Return the phase of a run after `trigger`; None is a run that does not exist yet.

    Raises:
        IllegalTransitionError: the trigger does not apply in this phase.
    """
    if phase is None:
        if trigger is RunTrigger.CREATE:
            return RunPhase.PLANNING
        raise IllegalTransitionError(state="ABSENT", trigger=trigger, allowed=[RunTrigger.CREATE])
    allowed = RUN_TRANSITIONS[phase]
    if trigger not in allowed:
        raise IllegalTransitionError(state=phase, trigger=trigger, allowed=allowed)
    return allowed[trigger]


def trigger_between(before: RunPhase | None, after: RunPhase) -> RunTrigger:
    """Return what leads a run from one phase to another; there is one way at most.

    Raises:
        IllegalTransitionError: nothing does.
    """
    if before is None:
        found = RunTrigger.CREATE if after is RunPhase.PLANNING else None
        steps: Mapping[RunTrigger, RunPhase] = {RunTrigger.CREATE: RunPhase.PLANNING}
    else:
        steps = RUN_TRANSITIONS[before]
        found = next((trigger for trigger, phase in steps.items() if phase is after), None)
    if found is None:
        raise IllegalTransitionError(
            state=before or "ABSENT", trigger=f"becoming {after}", allowed=steps.values()
        )
    return found
