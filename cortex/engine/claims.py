"""What a worker and its handler say to each other, and what follows from it. Pure."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from cortex.engine.replay import TaskView
from cortex.engine.state_machine import TaskTrigger
from cortex.engine.tasks import MAX_DOCUMENT_BYTES, Task
from cortex.errors import TaskPutOffError, TaskRefusedError
from nervous_system.errors import SwarmError
from nervous_system.telemetry.linking import CAUSED_BY, RUN

OBJECTION = "objection"
"""Entry of a verdict that sends work back: why."""


class Outcome(Enum):
    """What a handler makes of its task."""

    DONE = "done"
    """The work is done; of a review: accepted."""
    REFUSED = "refused"
    """It is not to be done, for good."""
    SENT_BACK = "sent_back"
    """Of a review: to be done again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """What a handler returns."""

    document: Mapping[str, Any] = field(default_factory=dict)
    """What came of it; anything that JSON can hold."""
    outcome: Outcome = Outcome.DONE
    reason: str = ""
    """Why it was refused or sent back."""

    @classmethod
    def refused(cls, reason: str, **document: Any) -> "TaskResult":
        """Return a refusal, with its reason."""
        return cls(outcome=Outcome.REFUSED, reason=reason, document=document)

    @classmethod
    def sent_back(cls, reason: str, **document: Any) -> "TaskResult":
        """Return a review that wants the work done again, with reasons."""
        return cls(
            outcome=Outcome.SENT_BACK, reason=reason, document={**document, OBJECTION: reason}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A task in the hands of a worker."""

    task: Task
    attempt: int
    """From 1; earlier ones failed, or their workers were lost."""
    fence: int
    """Sequence of the claim."""
    agent_id: str
    """Who holds it."""
    carrier: Mapping[str, str]
    """For `parent` of the first span: trace context of who submitted it, this claim as cause."""
    round: int = 1
    """From 1; grows when a reviewer sends it back."""
    is_review: bool = False
    """It is the result that is to be judged."""
    result: Mapping[str, Any] = field(default_factory=dict)
    """What was handed in: of a review what it is about, else that of the round before."""
    verdict: Mapping[str, Any] = field(default_factory=dict)
    """What the reviewer said in the round before."""
    feedback: str = ""
    """Why it was sent back, failed or was handed back, last."""
    is_lost: asyncio.Event = field(default_factory=asyncio.Event)
    """The task was cancelled or has gone to another worker: what is done now counts for nothing.
    The handler is cancelled, too; this is for work that cannot be."""

    @property
    def objection(self) -> str:
        """Why a reviewer sent the work back; empty: none did. Later failures leave it as it is."""
        return str(self.verdict.get(OBJECTION, ""))


Handler = Callable[[Claim], Awaitable[TaskResult]]


def taking(view: TaskView | None, generation: int) -> TaskTrigger | None:
    """Return what a worker does with a message of the queue that it was handed.

    Args:
        view: The task as it is now; None: there is none.
        generation: That of the message.

    Returns:
        CLAIM or REVIEW; BURY where its last attempt was lost with its worker; None where the
        message stands for nothing any more, and can be removed.
    """
    if view is None or view.generation != generation:
        return None
    if view.attempt >= view.task.max_attempts:
        return TaskTrigger.BURY
    return TaskTrigger.REVIEW if view.is_in_review else TaskTrigger.CLAIM


def claim_of(view: TaskView, feedback: str) -> Claim:
    """Return what the handler of a task that was just claimed gets."""
    return Claim(
        task=view.task,
        attempt=view.attempt,
        fence=view.fence,
        agent_id=view.worker,
        carrier={**view.task.carrier, CAUSED_BY: view.event_id, RUN: view.task.run_id},
        round=view.round,
        is_review=view.is_in_review,
        result=view.result,
        verdict=view.verdict,
        feedback=feedback,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The transition that ends a claim."""

    trigger: TaskTrigger
    document: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    seconds: float = 0.0
    """Until a task that is handed back is handed out again."""

    @property
    def leaves_queue(self) -> bool:
        """Whether the message in the queue has served its purpose."""
        return self.trigger not in {TaskTrigger.FAIL, TaskTrigger.HAND_BACK}


HANDED_BACK = Ending(trigger=TaskTrigger.HAND_BACK, reason="the worker was stopped")


def ending_of_result(view: TaskView, result: TaskResult) -> Ending:
    """Return what a result means for a claimed task."""
    problem = _problem(result.document)
    if problem:
        return ending_of_failure(view, f"result {problem}", is_retryable=True)
    if result.outcome is Outcome.DONE:
        is_reviewed = bool(view.task.reviewer) and not view.is_in_review
        trigger = TaskTrigger.HAND_IN if is_reviewed else TaskTrigger.COMPLETE
        return Ending(trigger=trigger, document=result.document, reason=result.reason)
    if result.outcome is Outcome.SENT_BACK:
        return _sent_back(view, result)
    return Ending(trigger=TaskTrigger.REFUSE, document=result.document, reason=result.reason)


def ending_of_error(view: TaskView, error: BaseException) -> Ending:
    """Return what an error means that a handler has raised.

    One of ours that is not `retryable` would only come again: no further attempt is made.
    """
    if isinstance(error, TaskRefusedError):
        return Ending(trigger=TaskTrigger.REFUSE, reason=str(error))
    if isinstance(error, TaskPutOffError):
        return Ending(trigger=TaskTrigger.HAND_BACK, reason=str(error), seconds=error.seconds)
    is_retryable = not isinstance(error, SwarmError) or error.retryable
    text = str(error) if isinstance(error, SwarmError) else f"{type(error).__name__}: {error}"
    return ending_of_failure(view, text, is_retryable=is_retryable)


def ending_of_failure(view: TaskView, reason: str, *, is_retryable: bool) -> Ending:
    """Return what a failed attempt means: another one, or the end."""
    is_last = view.attempt >= view.task.max_attempts or not is_retryable
    return Ending(trigger=TaskTrigger.BURY if is_last else TaskTrigger.FAIL, reason=reason)


def _sent_back(view: TaskView, result: TaskResult) -> Ending:
    if not view.is_in_review:
        return ending_of_failure(view, "sent back what is no review", is_retryable=False)
    if view.round < view.task.max_rounds:
        return Ending(trigger=TaskTrigger.SEND_BACK, document=result.document, reason=result.reason)
    rounds = "1 round" if view.round == 1 else f"{view.round} rounds"
    reason = f"not accepted after {rounds}: {result.reason}"
    return Ending(trigger=TaskTrigger.REFUSE, document=result.document, reason=reason)


def _problem(document: Mapping[str, Any]) -> str:
    try:
        size = len(json.dumps(dict(document)))
    except (TypeError, ValueError) as error:
        return f"is no JSON: {error}"
    return "" if size <= MAX_DOCUMENT_BYTES else f"takes {size} bytes, at most {MAX_DOCUMENT_BYTES}"
