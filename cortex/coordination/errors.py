"""Every error of coordination: what agents that share steps, messages and values are refused.

    CortexError
    +- CoordinationError
       +- NameRefusedError(ValueError)
       +- StepHeldError
       +- StepEndedError
       +- StepNotHeldError
       +- LeaseLostError
       +- WaitEndedError
       +- UnknownRecipientError
       +- MessageMissingError
       +- ValueMissingError
       +- ValueRefusedError(ValueError)
       +- RevisionChangedError
       +- ArtifactMissingError
       +- ArtifactDamagedError
       +- BusyError

Facts are keyword-only attributes and the message is made from them: what happened to which thing,
then what to do.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from cortex.errors import CortexError


class CoordinationError(CortexError):
    """Root of what agents that share a project are refused."""


class NameRefusedError(CoordinationError, ValueError):
    """A step, agent, project, key or artifact cannot have this name."""

    def __init__(self, *, what: str, name: str, reason: str) -> None:
        self.what = what
        self.name = name
        self.reason = reason
        super().__init__(f"{shown(name)} is no name for {what}: {reason}")


class StepHeldError(CoordinationError):
    """Somebody holds the step; it was not claimed, or not theirs to change."""

    def __init__(
        self, *, step: str, holder: str, token: int, expires_at: datetime, is_own: bool = False
    ) -> None:
        self.step = step
        self.holder = holder
        self.token = token
        self.expires_at = expires_at
        self.is_own = is_own
        until = clock_time(expires_at)
        super().__init__(
            f"step {shown(step)} is yours already, with token {token} until {until}: go on with it,"
            " or let go of it with `swarm release`"
            if is_own
            else f"step {shown(step)} is held by {shown(holder)} until {until}: take another, or"
            " wait with `swarm wait-for`"
        )


class StepEndedError(CoordinationError):
    """The step is complete."""

    def __init__(self, *, step: str, by: str) -> None:
        self.step = step
        self.by = by
        super().__init__(
            f"step {shown(step)} is complete, by {shown(by)}: it cannot be claimed or ended again"
        )


class StepNotHeldError(CoordinationError):
    """Only who holds a step may do this to it, and nobody does."""

    def __init__(self, *, step: str, state: str, action: str) -> None:
        self.step = step
        self.state = state
        self.action = action
        super().__init__(
            f"cannot {action} step {shown(step)}, which is {state}: `swarm claim` it first"
        )


class LeaseLostError(CoordinationError):
    """The claim no longer counts: its lease has run out, or another claim has come after it."""

    def __init__(self, *, step: str, token: int, reason: str) -> None:
        self.step = step
        self.token = token
        self.reason = reason
        super().__init__(f"the claim of step {shown(step)} no longer counts: {reason}")


class WaitEndedError(CoordinationError):
    """What is waited for has not come, or cannot come any more."""

    def __init__(self, *, missing: Iterable[str], blocked: Iterable[str], seconds: float) -> None:
        self.missing = tuple(missing)
        self.blocked = tuple(blocked)
        self.seconds = seconds
        listed = ", ".join(map(shown, self.blocked or self.missing))
        super().__init__(
            f"blocked: {listed}; `swarm step-status` says by whom and why"
            if self.blocked
            else f"not complete within {seconds:g} s: {listed}"
        )


class UnknownRecipientError(CoordinationError):
    """No agent of this name has taken part in the project."""

    def __init__(self, *, recipient: str, project: str) -> None:
        self.recipient = recipient
        self.project = project
        super().__init__(
            f"project {shown(project)} knows no agent {shown(recipient)}: `swarm agents` lists"
            " them; with --hold the message waits until one comes"
        )


class MessageMissingError(CoordinationError):
    """The mailbox holds no such message."""

    def __init__(self, *, message_id: str, count: int = 0) -> None:
        self.message_id = message_id
        self.count = count
        super().__init__(
            f"{count} messages begin with {shown(message_id)}: write more of the id"
            if count
            else f"no message {shown(message_id)} in this mailbox: `swarm inbox` lists them"
        )


class ValueMissingError(CoordinationError):
    """Nothing is kept under a key."""

    def __init__(self, *, key: str) -> None:
        self.key = key
        super().__init__(f"nothing under {shown(key)}: `swarm memory list` lists what there is")


class ValueRefusedError(CoordinationError, ValueError):
    """What was given cannot be kept as it is."""

    def __init__(self, *, key: str, reason: str) -> None:
        self.key = key
        self.reason = reason
        super().__init__(f"{shown(key)}: {reason}")


class RevisionChangedError(CoordinationError):
    """A value is no longer at the revision that a change was conditioned on."""

    def __init__(self, *, key: str, expected: int, found: int, by: str) -> None:
        self.key = key
        self.expected = expected
        self.found = found
        self.by = by
        is_at = f"is at {found}, set by {shown(by)}" if found else "does not exist"
        super().__init__(
            f"{shown(key)} {is_at}, not at revision {expected}: read it again and decide anew"
        )


class ArtifactMissingError(CoordinationError):
    """No artifact of this name and version was stored, or its content is out of reach."""

    def __init__(self, *, name: str, version: int = 0, reason: str = "") -> None:
        self.name = name
        self.version = version
        self.reason = reason
        which = f"version {version} of artifact" if version else "artifact"
        super().__init__(
            f"{which} {shown(name)}: {reason}"
            if reason
            else f"no {which} {shown(name)}: `swarm artifact list` lists what there is"
        )


class ArtifactDamagedError(CoordinationError):
    """The content is not what was stored; nothing was left behind."""

    def __init__(self, *, name: str, expected: str, found: str) -> None:
        self.name = name
        self.expected = expected
        self.found = found
        super().__init__(
            f"artifact {shown(name)} is damaged: its digest is {found[:12]}, {expected[:12]} was"
            " stored: ask who made it to upload it again"
        )


class BusyError(CoordinationError):
    """Others write the same thing all the time; nothing was stored."""

    retryable = True

    def __init__(self, *, what: str, tries: int) -> None:
        self.what = what
        self.tries = tries
        super().__init__(f"{what} was changed by others {tries} times meanwhile: try again")


def shown(name: str) -> str:
    """Return a name as messages show it: whatever is in it stays on one line."""
    plain = name if name.isprintable() and name.strip() == name and name else repr(name)
    return plain if len(plain) <= 80 else f"{plain[:77]}..."


def clock_time(at: datetime) -> str:
    """Return a time of day for people, in UTC."""
    return at.astimezone(UTC).strftime("%H:%M:%SZ")
