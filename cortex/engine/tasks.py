"""Tasks, and the transitions that are all there is of them. Pure.

A transition is one event on `swarm.coordination.task.<run>.<task>.<agent>` (of a run:
`swarm.coordination.run.<run>.<agent>`): the agent token says who wrote it, as everywhere on the
bus, and the write is conditioned on all of the task's subjects.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cortex.engine.state_machine import RunPhase, TaskState, TaskTrigger
from cortex.errors import InvalidPlanError, TransitionDecodeError
from nervous_system import events
from nervous_system.errors import EventDecodeError, InvalidEventError
from nervous_system.schemas import SwarmEvent
from nervous_system.subjects import escape_token, unescape_token

TASK_PREFIX = "swarm.coordination.task"
RUN_PREFIX = "swarm.coordination.run"
PRIORITIES = (0, 1, 2)
"""High, ordinary, low."""
ORDINARY = 1
DEFAULT_ATTEMPTS = 3
DEFAULT_ROUNDS = 3
MAX_RETRY_SECONDS = 60.0
MAX_NAME_BYTES = 400
"""Longest id or role as a token: five of them make a subject."""
MAX_DOCUMENT_BYTES = 1024 * 1024
"""Most that a task's document may take up; larger things travel by digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A piece of work; what is to be done is between who submits it and its role's handler."""

    task_id: str
    """Unique in its run."""
    run_id: str
    role: str
    """Which workers may take it."""
    title: str = ""
    """One line for people."""
    instructions: Mapping[str, Any] = field(default_factory=dict)
    """What its handler needs; anything that JSON can hold."""
    depends_on: tuple[str, ...] = ()
    """Ids of tasks of the run that have to be DONE before."""
    priority: int = ORDINARY
    """0 before 1 before 2, among those that are ready."""
    max_attempts: int = DEFAULT_ATTEMPTS
    """After so many failed attempts it is dead; a lost worker is a failed attempt."""
    retry_seconds: float = 1.0
    """Delay after the first failed attempt; it doubles with each, up to a minute."""
    reviewer: str = ""
    """Role of the workers who judge its result; empty: complete when the worker says so."""
    max_rounds: int = DEFAULT_ROUNDS
    """How often a reviewer may see it; after the last one it is accepted or refused."""
    carrier: Mapping[str, str] = field(default_factory=dict)
    """Trace context and causes of whoever submitted it (`Agent.carrier`)."""

    def retry_delay(self, attempt: int) -> float:
        """Return how many seconds pass between failed `attempt` (from 1) and the next."""
        return float(min(MAX_RETRY_SECONDS, self.retry_seconds * 2 ** min(attempt - 1, 30)))

    def as_document(self) -> dict[str, Any]:
        """Return what JSON holds of the task; `parse_task` is the inverse."""
        document: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        return {
            **document,
            "instructions": dict(self.instructions),
            "depends_on": list(self.depends_on),
            "carrier": dict(self.carrier),
        }


def parse_task(document: Mapping[str, Any]) -> Task:
    """Return the task in a document; fields of newer versions are left out.

    Raises:
        InvalidPlanError: it is no task's.
    """
    known = {name: document[name] for name in Task.__slots__ if name in document}
    try:
        return Task(**{**known, "depends_on": tuple(known.get("depends_on", ()))})
    except TypeError as error:
        raise InvalidPlanError(
            task_id=str(document.get("task_id", "")), reason=f"not a task: {error}"
        ) from error


def check_tasks(tasks: Iterable[Task], known: Iterable[str] = ()) -> list[Task]:
    """Return new tasks of a run in an order in which each comes after what it depends on.

    Args:
        tasks: The new ones.
        known: Ids of tasks that the run has already.

    Raises:
        InvalidPlanError: names the first task that cannot be worked on as it is given.
    """
    waiting: dict[str, Task] = {}
    settled = set(known)
    for task in tasks:
        if task.task_id in settled or task.task_id in waiting:
            raise InvalidPlanError(task_id=task.task_id, reason="the run has a task of this id")
        _check_task(task)
        waiting[task.task_id] = task
    for task in waiting.values():
        for needed in task.depends_on:
            if needed not in waiting and needed not in settled:
                raise InvalidPlanError(
                    task_id=task.task_id, reason=f"depends on {needed!r}, which the run has not"
                )
    return _in_order(waiting, settled)


def _in_order(waiting: dict[str, Task], settled: set[str]) -> list[Task]:
    ordered: list[Task] = []
    dependents: dict[str, list[str]] = {}
    missing: dict[str, int] = {}
    for task in waiting.values():
        open_ones = {needed for needed in task.depends_on if needed not in settled}
        missing[task.task_id] = len(open_ones)
        for needed in open_ones:
            dependents.setdefault(needed, []).append(task.task_id)
    free = [task_id for task_id, count in missing.items() if not count]
    for task_id in free:  # grows while it is gone through
        ordered.append(waiting[task_id])
        for dependent in dependents.get(task_id, ()):
            missing[dependent] -= 1
            if not missing[dependent]:
                free.append(dependent)
    if len(ordered) < len(waiting):
        stuck = next(task_id for task_id, count in missing.items() if count)
        raise InvalidPlanError(task_id=stuck, reason="depends on itself, through others")
    return ordered


def _check_task(task: Task) -> None:
    for name in ("task_id", "run_id", "role"):
        _check_name(task, name, getattr(task, name))
    if task.reviewer:
        _check_name(task, "reviewer", task.reviewer)
    if task.priority not in PRIORITIES:
        raise InvalidPlanError(
            task_id=task.task_id, reason=f"priority is {task.priority}, not 0, 1 or 2"
        )
    if task.max_attempts < 1 or task.max_rounds < 1:
        raise InvalidPlanError(task_id=task.task_id, reason="allows no attempt")
    try:
        size = len(json.dumps(task.as_document()))
    except (TypeError, ValueError) as error:
        raise InvalidPlanError(task_id=task.task_id, reason=f"no JSON: {error}") from error
    if size > MAX_DOCUMENT_BYTES:
        raise InvalidPlanError(
            task_id=task.task_id, reason=f"{size} bytes, at most {MAX_DOCUMENT_BYTES}"
        )


def _check_name(task: Task, name: str, value: str) -> None:
    """Names become tokens of subjects, which have a longest length."""
    if not value:
        raise InvalidPlanError(task_id=task.task_id, reason=f"has no {name}")
    try:
        size = len(escape_token(value))
    except InvalidEventError as error:
        raise InvalidPlanError(task_id=task.task_id, reason=f"{name}: {error.reason}") from error
    if size > MAX_NAME_BYTES:
        raise InvalidPlanError(
            task_id=task.task_id, reason=f"{name} takes {size} bytes, at most {MAX_NAME_BYTES}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One stored step of a task, or, without a `task_id`, of its run."""

    sequence: int
    """Position in the stream; that of a claim is its fence."""
    event_id: str
    run_id: str
    agent_id: str
    """Who wrote it."""
    at: datetime
    """When the server stored it, UTC."""
    task_id: str = ""
    trigger: TaskTrigger | None = None
    """None of a run: there the phases before and after say it."""
    state: TaskState | None = None
    """The task's, after it."""
    phase: RunPhase | None = None
    """The run's, after it."""
    worker: str = ""
    """The holder after a claim, the one who wrote it otherwise."""
    attempt: int = 0
    fence: int = 0
    """Sequence of the claim under which a holder wrote it."""
    document: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


def task_subjects(run_id: str, task_id: str) -> str:
    """Return the pattern of all subjects that transitions of one task lie on."""
    return f"{TASK_PREFIX}.{escape_token(run_id)}.{escape_token(task_id)}.*"


def run_subjects(run_id: str) -> str:
    """Return the pattern of all subjects that transitions of one run lie on."""
    return f"{RUN_PREFIX}.{escape_token(run_id)}.*"


def all_subjects(run_id: str) -> tuple[str, str]:
    """Return the patterns of everything about one run."""
    return run_subjects(run_id), f"{TASK_PREFIX}.{escape_token(run_id)}.>"


def subject_of(pattern: str, agent_id: str) -> str:
    """Return the subject within a task's or run's pattern that one agent writes on."""
    return pattern[:-1] + escape_token(agent_id)


def read_transition(raw: bytes, subject: str, sequence: int, at: datetime) -> Transition | None:
    """Return what a stored message says; None where it lies on no task's or run's subject.

    What cannot be read moves its subject on all the same: it comes as a transition that does not
    apply, with the reason.
    """
    try:
        event = events.decode(raw, subject=subject, sequence=sequence)
        return parse_transition(event, subject, sequence, at)
    except EventDecodeError as error:
        return _noise(subject, sequence, at, str(error))
    except TransitionDecodeError as error:
        return _noise(subject, sequence, at, error.reason)


def _noise(subject: str, sequence: int, at: datetime, reason: str) -> Transition | None:
    is_task = subject.startswith(f"{TASK_PREFIX}.")
    is_run = subject.startswith(f"{RUN_PREFIX}.")
    tokens = subject.split(".")[3:]
    if not (is_task and len(tokens) == 3) and not (is_run and len(tokens) == 2):
        return None
    try:
        names = [unescape_token(token) for token in tokens]
    except InvalidEventError:
        return None
    return Transition(
        sequence=sequence,
        event_id="",
        run_id=names[0],
        agent_id=names[-1],
        at=at,
        task_id=names[1] if is_task else "",
        reason=reason,
    )


def parse_transition(event: SwarmEvent, subject: str, sequence: int, at: datetime) -> Transition:
    """Return what an event says that is stored on `subject`.

    Raises:
        TransitionDecodeError: it is none, or of an unknown kind, or of another task than the
            subject's, on whose writes it was not conditioned.
    """
    kind = event.WhichOneof("payload")
    try:
        if kind == "task_transition":
            found = _task_transition(event, sequence, at)
            pattern = task_subjects(found.run_id, found.task_id)
        elif kind == "run_transition":
            found = _run_transition(event, sequence, at)
            pattern = run_subjects(found.run_id)
        else:
            raise TransitionDecodeError(event_id=event.event_id, reason=f"it is a {kind}")
    except (ValueError, InvalidEventError) as error:
        raise TransitionDecodeError(event_id=event.event_id, reason=str(error)) from error
    if not subject.startswith(pattern[:-1]):
        reason = f"it is about {pattern}, on {subject}"
        raise TransitionDecodeError(event_id=event.event_id, reason=reason)
    return found


def _task_transition(event: SwarmEvent, sequence: int, at: datetime) -> Transition:
    said = event.task_transition
    if not said.task_id:
        raise ValueError("names no task")
    return Transition(
        sequence=sequence,
        event_id=event.event_id,
        run_id=event.run_id,
        agent_id=event.agent_id,
        at=at,
        task_id=said.task_id,
        trigger=TaskTrigger(said.task_trigger),
        state=TaskState(said.task_state),
        worker=said.task_worker,
        attempt=said.task_attempt,
        fence=said.task_fence,
        document=_document(said.task_document),
        reason=said.task_reason,
    )


def _run_transition(event: SwarmEvent, sequence: int, at: datetime) -> Transition:
    said = event.run_transition
    return Transition(
        sequence=sequence,
        event_id=event.event_id,
        run_id=event.run_id,
        agent_id=event.agent_id,
        at=at,
        phase=RunPhase(said.run_state),
        document=_document(said.run_document),
        reason=said.run_reason,
    )


def _document(text: str) -> Mapping[str, Any]:
    if not text:
        return {}
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("its document is no JSON object")  # noqa: TRY004 # of what was sent
    return document
