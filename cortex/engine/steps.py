"""What has to happen next in a run, apart from the work itself. Pure.

The answer depends on the state alone, never on what was done before: whoever replays the same
transitions, at any time, comes to the same steps. Doing one twice is harmless, since each is
conditioned on the state that it was decided in.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cortex.engine.replay import RunState, TaskView
from cortex.engine.state_machine import RunPhase, TaskState, TaskTrigger

PLANNER = "planner"
"""Entry of a run's document: the task that plans all others, and says when it has."""
_WORKING = frozenset({RunPhase.PLANNING, RunPhase.RUNNING})


@dataclass(frozen=True, slots=True)
class Move:
    """Write a task's next transition."""

    task_id: str
    trigger: TaskTrigger
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Enqueue:
    """Put a message for a task into its role's queue, unless it lies there."""

    task_id: str
    generation: int


@dataclass(frozen=True, slots=True)
class Close:
    """End the run."""

    phase: RunPhase
    reason: str = ""


Step = Move | Enqueue | Close


def next_steps(run: RunState, task_ids: Iterable[str] | None = None) -> list[Step]:
    """Return what is to be done about these tasks (None: all) and about the run itself."""
    if run.phase is None:
        return []
    chosen = run.tasks if task_ids is None else [one for one in task_ids if one in run.tasks]
    steps: list[Step] = [
        step for task_id in chosen if (step := _step_of(run, run.tasks[task_id])) is not None
    ]
    return [*steps, *_closing(run)]


def touched_by(run: RunState, task_id: str) -> list[str]:
    """Return the tasks whose next steps may have changed with that task."""
    view = run.tasks.get(task_id)
    if view is None or not view.has_ended:
        return [task_id]
    return [task_id, *run.dependents.get(task_id, ())]


def queued_tasks(run: RunState) -> Iterator[Enqueue]:
    """Yield every message that has to lie in a queue, or be with a worker, at this moment."""
    for view in run.tasks.values():
        if view.is_queued and not view.has_ended:
            yield Enqueue(view.task.task_id, view.generation)


def _step_of(run: RunState, view: TaskView) -> Step | None:
    task_id = view.task.task_id
    if view.has_ended:
        return Move(task_id, TaskTrigger.REVIVE) if _may_be_revived(run, view) else None
    if run.phase is RunPhase.CANCELLING:
        return Move(task_id, TaskTrigger.CANCEL, run.reason or "the run was cancelled")
    if run.has_ended:
        return Move(task_id, TaskTrigger.CANCEL, "the run had ended")
    if run.phase is RunPhase.PAUSED and not view.is_in_review:
        is_waiting = view.state in {TaskState.READY, TaskState.FAILED}
        return Move(task_id, TaskTrigger.WITHDRAW, "the run is paused") if is_waiting else None
    if view.state is TaskState.PENDING:
        return _release(run, view)
    if view.is_queued and view.changed_sequence == view.generation:
        return Enqueue(task_id, view.generation)
    return None


def _release(run: RunState, view: TaskView) -> Step | None:
    task_id = view.task.task_id
    is_free = True
    for needed in view.task.depends_on:
        found = run.tasks.get(needed)
        if found is None or not found.has_ended or _may_be_revived(run, found):
            is_free = False
        elif found.state is not TaskState.DONE:
            reason = f"depends on {needed}, which is {found.state}"
            return Move(task_id, TaskTrigger.CANCEL, reason)
    return Move(task_id, TaskTrigger.RELEASE) if is_free else None


def _may_be_revived(run: RunState, view: TaskView) -> bool:
    """Whether it had died before its failed run was resumed."""
    is_dead = view.state in {TaskState.DEAD, TaskState.CANCELLED}
    return is_dead and run.phase in _WORKING and view.changed_sequence < run.resumed_sequence


def _closing(run: RunState) -> list[Step]:
    if run.open_count:
        return []
    if run.phase is RunPhase.CANCELLING:
        return [Close(RunPhase.CANCELLED, run.reason)]
    if run.phase is RunPhase.PLANNING:
        return _unplanned(run)
    if run.phase is not RunPhase.RUNNING:
        return []  # it waits to be resumed
    views = run.tasks.values()
    if any(_may_be_revived(run, view) for view in views):
        return []
    dead = next((view for view in views if view.state is TaskState.DEAD), None)
    if dead is None:
        return [Close(RunPhase.SUCCEEDED)]
    return [Close(RunPhase.FAILED, f"task {dead.task.task_id}: {dead.reason}")]


def _unplanned(run: RunState) -> list[Step]:
    """End a run whose planning task has ended without a plan; in others more tasks may come."""
    planner = run.tasks.get(str(run.document.get(PLANNER, "")))
    if planner is None or not planner.has_ended or _may_be_revived(run, planner):
        return []
    reason = planner.reason or "its planning ended without a plan"
    return [Close(RunPhase.FAILED, f"task {planner.task.task_id}: {reason}")]
