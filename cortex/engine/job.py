"""What a run of the swarm on a repository was asked for, and what came of it. Pure.

A job is kept in the document of its run, so that whoever takes the run over knows all of it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cortex.engine.replay import RunState, TaskView
from cortex.engine.state_machine import TaskState
from cortex.engine.steps import PLANNER
from cortex.tools.git_names import branch_name

PLAN_TASK = "plan"
"""Id of the architect's task; the coders' have the keys of its plan."""
ARCHITECT, CODER, REVIEWER = "architect", "coder", "reviewer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A command whose success is asked for before a change is accepted."""

    name: str
    command: str
    """For `/bin/sh`, run at the top of the work tree."""
    seconds: float = 300.0
    memory_bytes: int = 2 * 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a run may spend on models; None: no limit."""

    max_tokens: int | None = None
    max_usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run on one repository."""

    run_id: str
    task: str
    """The user's words."""
    repository: Path
    """Top of the user's checkout; nothing in it is touched."""
    base_commit: str
    """Where the run's branch starts."""
    model: str
    """As it was chosen: `offline`, `openai:...`."""
    coders: int = 2
    checks: tuple[Check, ...] = ()
    budget: Budget = field(default_factory=Budget)
    workspace_event: str = ""
    """Event that says what the run's workspace starts from."""
    parent: Mapping[str, str] = field(default_factory=dict)
    """Of a fork: `run_id` and `event_id` that it continues."""

    @property
    def branch(self) -> str:
        """Where accepted work is committed."""
        return branch_name(self.run_id)

    def as_document(self) -> dict[str, Any]:
        """Return what JSON holds of the job; `parse_job` is the inverse."""
        document = asdict(self)
        document["repository"] = str(self.repository)
        document["branch"] = self.branch
        document[PLANNER] = PLAN_TASK
        document["checks"] = list(document["checks"])
        return document


def parse_job(document: Mapping[str, Any]) -> Job:
    """Return the job in a run's document.

    Raises:
        ValueError: the run is no job on a repository.
    """
    known = {name: document[name] for name in Job.__slots__ if name in document}
    try:
        known["repository"] = Path(known["repository"])
        known["checks"] = tuple(Check(**one) for one in known.get("checks", ()))
        known["budget"] = Budget(**known.get("budget", {}))
        return Job(**known)
    except (KeyError, TypeError) as error:
        raise ValueError(f"no job on a repository: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A task whose change is on the run's branch."""

    task: str
    title: str
    commit: str
    files: tuple[str, ...]
    event_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDone:
    """A task, or a part of one, that left nothing on the branch."""

    task: str
    title: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to."""

    run_id: str
    branch: str | None
    """None: nothing was accepted, so that there is no branch."""
    accepted: tuple[Accepted, ...]
    refused: tuple[NotDone, ...]

    def as_document(self) -> dict[str, Any]:
        """Return it in the shape of `swarm run --json`."""
        return {
            "run_id": self.run_id,
            "branch": self.branch,
            "accepted": [asdict(one) for one in self.accepted],
            "refused": [asdict(one) for one in self.refused],
        }


def outcome_of(state: RunState) -> Outcome:
    """Return what a run came to, as far as it has come."""
    accepted: list[Accepted] = []
    refused: list[NotDone] = []
    for view in state.tasks.values():
        if view.task.task_id == PLAN_TASK:
            refused += _left_out(view)
            continue
        if view.state is TaskState.DONE and view.verdict.get("commit"):
            accepted.append(_accepted(view))
            refused += [_not_done(view, str(one)) for one in view.result.get("unresolved", ())]
        elif view.state is TaskState.DONE:
            reason = str(view.verdict.get("reason") or view.result.get("reason") or "nothing to do")
            refused.append(_not_done(view, reason))
        elif view.has_ended:
            refused.append(_not_done(view, view.reason or str(view.state)))
    accepted.sort(key=lambda one: state.tasks[one.task].changed_sequence)
    branch = str(state.document.get("branch") or "") if accepted else None
    return Outcome(
        run_id=state.run_id, branch=branch, accepted=tuple(accepted), refused=tuple(refused)
    )


def newest_accepted(state: RunState) -> tuple[str, str] | None:
    """Return commit and last event of the newest accepted change; None: there is none yet."""
    done = [
        view
        for view in state.tasks.values()
        if view.state is TaskState.DONE and view.verdict.get("commit")
    ]
    if not done:
        return None
    newest = max(done, key=lambda view: view.changed_sequence).verdict
    return str(newest["commit"]), str(newest.get("workspace_event", ""))


def _accepted(view: TaskView) -> Accepted:
    verdict = view.verdict
    return Accepted(
        task=view.task.task_id,
        title=view.task.title,
        commit=str(verdict["commit"]),
        files=tuple(map(str, verdict.get("files", ()))),
        event_ids=tuple(map(str, verdict.get("event_ids", ()))),
    )


def _not_done(view: TaskView, reason: str) -> NotDone:
    return NotDone(task=view.task.task_id, title=view.task.title, reason=reason)


def _left_out(view: TaskView) -> list[NotDone]:
    """Return what the architect refused: parts of the task, or all of it."""
    parts = [
        NotDone(task=PLAN_TASK, title=str(one.get("title", "")), reason=str(one.get("reason", "")))
        for one in view.result.get("left_out", ())
    ]
    if view.has_ended and view.state is not TaskState.DONE:
        parts.append(NotDone(task=PLAN_TASK, title=view.task.title, reason=view.reason))
    return parts
