"""Every error that the thinking part of the swarm raises.

    SwarmError
    +- CortexError
       +- IllegalTransitionError
       +- TransitionDecodeError
       +- InvalidPlanError(ValueError)
       +- RunNotFoundError
       +- HandlerNotFoundError
       +- TaskRefusedError
       +- TaskPutOffError
       +- AgentFailedError
       +- NotRecordedError
       +- MomentError(ValueError)
       +- ManifestError
       +- RestoreRefusedError
       +- NotRestorableError
       +- RepositoryError
       +- ModelError
       |  +- ModelUnavailableError
       |  +- ModelRejectedError
       |  +- ModelAnswerError
       |  +- BudgetExceededError
       +- ToolError
          +- ToolRefusedError
          +- ToolFailedError
             +- ToolTimedOutError

Facts are keyword-only attributes and the message is made from them: what happened to which thing,
then what to do. `retryable` is decided by the class. Driver exceptions stay in `__cause__`.
"""

from collections.abc import Iterable

from nervous_system.errors import SwarmError


class CortexError(SwarmError):
    """Root of the errors of the thinking part."""


class IllegalTransitionError(CortexError):
    """A task or run in this state does not take this trigger."""

    def __init__(self, *, state: str, trigger: str, allowed: Iterable[str]) -> None:
        self.state = state
        self.trigger = trigger
        self.allowed = tuple(sorted(allowed))
        listed = ", ".join(self.allowed) or "nothing, it is at its end"
        super().__init__(f"{trigger} does not apply to what is {state}; possible: {listed}")


class TransitionDecodeError(CortexError):
    """A transition carries a state, trigger or document that cannot be read."""

    def __init__(self, *, event_id: str, reason: str) -> None:
        self.event_id = event_id
        self.reason = reason
        super().__init__(f"event {event_id} is no transition that can be read: {reason}")


class InvalidPlanError(CortexError, ValueError):
    """Tasks that cannot be worked on as they are given; nothing was submitted."""

    def __init__(self, *, task_id: str, reason: str) -> None:
        self.task_id = task_id
        self.reason = reason
        super().__init__(f"task {task_id!r}: {reason}")


class RunNotFoundError(CortexError):
    """No run has this id, or several begin so."""

    def __init__(self, *, run_id: str, count: int = 0) -> None:
        self.run_id = run_id
        self.count = count
        super().__init__(
            f"{count} runs begin with {run_id!r}: write more of the id"
            if count
            else f"no run {run_id!r}: `swarm tasks` lists those that are under way"
        )


class HandlerNotFoundError(CortexError):
    """No handler is registered for a role, or there is none where one is said to be."""

    def __init__(self, *, role: str, known: Iterable[str], place: str = "") -> None:
        self.role = role
        self.known = tuple(sorted(known))
        self.place = place
        super().__init__(
            f"no handler at {place!r}: expected MODULE:FUNCTION that can be imported"
            if place
            else f"no worker for role {role!r}: one of {', '.join(self.known)}, or name a handler"
        )


class TaskRefusedError(CortexError):
    """A handler refuses its task for good: it was understood, and cannot or must not be done."""

    def __init__(self, *, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class TaskPutOffError(CortexError):
    """A task cannot be done now or by this worker; it goes back to the queue.

    That is no failed attempt.
    """

    retryable = True

    def __init__(self, *, reason: str, seconds: float = 1.0) -> None:
        self.reason = reason
        self.seconds = seconds
        """Until it is handed out again."""
        super().__init__(f"not now: {reason}")


class AgentFailedError(CortexError):
    """An agent failed at a task; the task goes on with its next attempt, if it has one."""

    retryable = True

    def __init__(self, *, agent_id: str, task_id: str, attempt: int, reason: str = "") -> None:
        self.agent_id = agent_id
        self.task_id = task_id
        self.attempt = attempt
        self.reason = reason
        because = f": {reason}" if reason else ""
        super().__init__(f"agent {agent_id} failed at task {task_id}, attempt {attempt}{because}")


class NotRecordedError(CortexError):
    """History does not hold what was asked for."""

    def __init__(self, *, subject: str, reason: str) -> None:
        self.subject = subject
        self.reason = reason
        super().__init__(f"{subject} is not recorded: {reason}")


class MomentError(CortexError, ValueError):
    """A text does not name one moment of history."""

    def __init__(self, *, given: str, reason: str) -> None:
        self.given = given
        self.reason = reason
        super().__init__(f"{given!r}: {reason}")


class ManifestError(CortexError):
    """Content is not the manifest of a workspace."""

    def __init__(self, *, line: int, reason: str) -> None:
        self.line = line
        self.reason = reason
        super().__init__(f"manifest, line {line}: {reason}")


class RestoreRefusedError(CortexError):
    """A restore would touch what is there already; nothing was written."""

    def __init__(self, *, place: str, reason: str, fix: str) -> None:
        self.place = place
        self.reason = reason
        self.fix = fix
        super().__init__(f"{place}: {reason}: {fix}")


class NotRestorableError(CortexError):
    """Some of what was there at a moment cannot be brought back."""

    def __init__(self, *, count: int, total: int, fix: str) -> None:
        self.count = count
        self.total = total
        self.fix = fix
        super().__init__(f"{count} of {total} files cannot be restored: {fix}")


class RepositoryError(CortexError):
    """A repository cannot be worked on."""

    def __init__(self, *, path: str, reason: str, fix: str) -> None:
        self.path = path
        self.reason = reason
        self.fix = fix
        super().__init__(f"repository {path}: {reason}: {fix}")


class ModelError(CortexError):
    """Root of what can go wrong with a model."""


class ModelUnavailableError(ModelError):
    """A model did not answer, or asked for patience; the same call may succeed later."""

    retryable = True

    def __init__(self, *, model: str, reason: str) -> None:
        self.model = model
        self.reason = reason
        super().__init__(f"model {model} is not available: {reason}")


class ModelRejectedError(ModelError):
    """A model's provider refuses the request; sending it again changes nothing."""

    def __init__(self, *, model: str, reason: str) -> None:
        self.model = model
        self.reason = reason
        super().__init__(f"model {model} refuses: {reason}")


class ModelAnswerError(ModelError):
    """A model's answer cannot be used, also after it was asked again."""

    def __init__(self, *, model: str, reason: str) -> None:
        self.model = model
        self.reason = reason
        super().__init__(f"the answer of model {model} cannot be used: {reason}")


class BudgetExceededError(ModelError):
    """A run has used up what it may spend."""

    def __init__(self, *, limit: str, used: str, allowed: str) -> None:
        self.limit = limit
        self.used = used
        self.allowed = allowed
        super().__init__(f"{limit} used up ({used} of {allowed}): raise the budget to go on")


class ToolError(CortexError):
    """Root of what can go wrong in a tool call."""


class ToolRefusedError(ToolError):
    """A tool refused its arguments; nothing was touched."""

    def __init__(self, *, tool: str, argument: str, rule: str) -> None:
        self.tool = tool
        self.argument = argument
        self.rule = rule
        super().__init__(f"{tool} refused {argument!r}: {rule}")


class ToolFailedError(ToolError):
    """A tool could not do what it was asked for."""

    def __init__(self, *, tool: str, reason: str) -> None:
        self.tool = tool
        self.reason = reason
        super().__init__(f"{tool} failed: {reason}")


class ToolTimedOutError(ToolFailedError):
    """A tool was stopped because it took too long."""

    def __init__(self, *, tool: str, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(tool=tool, reason=f"not done within {seconds:g} s")
