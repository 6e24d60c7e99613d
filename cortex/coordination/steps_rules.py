"""What may happen to a step that agents share, decided from the newest transition of it. Pure.

A step is pending until one agent claims it. A claim holds for a lease; when that has run out, the
step reads pending again and anyone may claim it. The sequence of a claim in the stream is its
token: of two holders the later one has the higher, and what the earlier one still writes is refused
here, or by the bus, on whose condition every write depends.

    claim      pending, blocked, needs_review  ->  in_progress
    renew      in_progress, by its holder      ->  in_progress, for longer
    release    in_progress, by its holder      ->  pending
    complete   in_progress, by its holder      ->  complete, blocked, needs_review
    force      anything                        ->  complete, blocked, needs_review
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from cortex.coordination.errors import (
    LeaseLostError,
    StepEndedError,
    StepHeldError,
    StepNotHeldError,
    clock_time,
    shown,
)

DEFAULT_LEASE_SECONDS = 30 * 60.0
MAX_LEASE_SECONDS = 366 * 24 * 3600.0
RENEW_SHARE = 0.1
"""A lease of which less than this has passed is not worth an event that prolongs it."""


class StepState(enum.StrEnum):
    """How a step reads."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETE = "complete"
    BLOCKED = "blocked"
    NEEDS_REVIEW = "needs_review"


ENDS = (StepState.COMPLETE, StepState.BLOCKED, StepState.NEEDS_REVIEW)


class StepTrigger(enum.StrEnum):
    """What brings a step from one state to another."""

    CLAIM = "claim"
    RENEW = "renew"
    RELEASE = "release"
    COMPLETE = "complete"
    FORCE = "force"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step as its newest transition has it; a step that nothing was written about is pending."""

    step: str
    written: StepState = StepState.PENDING
    """The state that was written; `state` says how it reads at a moment."""
    trigger: StepTrigger | None = None
    """None: nothing has happened to it."""
    agent: str = ""
    """Who wrote it, as the bus has it."""
    token: int = 0
    """Sequence of the newest claim; 0: nobody has claimed it."""
    expires_at_ms: int = 0
    """When the lease runs out, in milliseconds since 1970; 0 where nobody holds it."""
    document: Mapping[str, Any] = field(default_factory=dict)
    """What a claim runs, or the handoff record of an end."""
    sequence: int = 0
    """Of the newest message about the step; the next write depends on it."""
    event_id: str = ""
    at: datetime | None = None
    """When the server stored it, UTC."""

    def is_held(self, now_ms: int) -> bool:
        """Whether somebody holds it at this time."""
        return self.written is StepState.IN_PROGRESS and now_ms < self.expires_at_ms

    def state(self, now_ms: int) -> StepState:
        """Return how it reads at this time."""
        if self.written is StepState.IN_PROGRESS and not self.is_held(now_ms):
            return StepState.PENDING
        return self.written

    def holder(self, now_ms: int) -> str:
        """Return who holds it at this time; empty: nobody."""
        return self.agent if self.is_held(now_ms) else ""

    @property
    def expires_at(self) -> datetime:
        """When the lease runs out, UTC."""
        return moment(self.expires_at_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A transition that may be written, on the condition that nothing is written before."""

    step: Step
    """What it was decided on."""
    state: StepState
    trigger: StepTrigger
    holder: str = ""
    fence: int = 0
    expires_at_ms: int = 0

    def applied(
        self, sequence: int, event_id: str, agent: str, document: Mapping[str, Any]
    ) -> Step:
        """Return the step once it is stored."""
        is_claim = self.trigger is StepTrigger.CLAIM
        return replace(
            self.step,
            written=self.state,
            trigger=self.trigger,
            agent=agent,
            token=sequence if is_claim else self.fence,
            expires_at_ms=self.expires_at_ms,
            document=document,
            sequence=sequence,
            event_id=event_id,
            at=None,
        )


def decide_claim(step: Step, agent: str, *, now_ms: int, lease_ms: int, token: int = 0) -> Decision:
    """Return the claim of a step; with the token of one's own claim, its renewal.

    Raises:
        StepHeldError: somebody holds it.
        StepEndedError: it is complete.
    """
    if step.written is StepState.COMPLETE:
        raise StepEndedError(step=step.step, by=step.agent)
    if step.is_held(now_ms):
        if step.agent == agent and token == step.token:
            return decide_renewal(step, agent, now_ms=now_ms, lease_ms=lease_ms, token=token)
        raise _held(step, agent)
    return Decision(
        step=step,
        state=StepState.IN_PROGRESS,
        trigger=StepTrigger.CLAIM,
        holder=agent,
        expires_at_ms=now_ms + lease_ms,
    )


def decide_renewal(step: Step, agent: str, *, now_ms: int, lease_ms: int, token: int) -> Decision:
    """Return a longer lease for the holder; it never becomes shorter.

    Raises:
        StepHeldError: another agent holds the step.
        StepEndedError: it is complete.
        StepNotHeldError: nobody holds it.
        LeaseLostError: the lease has run out, or the token is of another claim.
    """
    _check_holder(step, agent, token, now_ms, "renew the claim of")
    return Decision(
        step=step,
        state=StepState.IN_PROGRESS,
        trigger=StepTrigger.RENEW,
        holder=agent,
        fence=step.token,
        expires_at_ms=max(step.expires_at_ms, now_ms + lease_ms),
    )


def decide_release(step: Step, agent: str, *, now_ms: int, token: int) -> Decision:
    """Return the end of a claim without a result.

    Raises:
        StepHeldError: another agent holds the step.
        StepEndedError: it is complete.
        StepNotHeldError: nobody holds it.
        LeaseLostError: the lease has run out, or the token is of another claim.
    """
    _check_holder(step, agent, token, now_ms, "release")
    return Decision(
        step=step, state=StepState.PENDING, trigger=StepTrigger.RELEASE, fence=step.token
    )


def decide_end(
    step: Step,
    agent: str,
    *,
    now_ms: int,
    token: int,
    state: StepState = StepState.COMPLETE,
    force: bool = False,
) -> Decision:
    """Return the end of a step; with `force` for whoever asks, whatever state it is in.

    Raises:
        StepHeldError: another agent holds it.
        StepEndedError: it is complete.
        StepNotHeldError: nobody holds it.
        LeaseLostError: the lease has run out, or the token is of another claim.
    """
    if not force:
        _check_holder(step, agent, token, now_ms, "complete")
    trigger = StepTrigger.FORCE if force else StepTrigger.COMPLETE
    return Decision(step=step, state=state, trigger=trigger, fence=step.token)


def is_renewal_due(expires_at_ms: int, lease_ms: int, now_ms: int) -> bool:
    """Whether enough of a lease has passed for a command of its holder to prolong it."""
    return now_ms < expires_at_ms and expires_at_ms - now_ms <= lease_ms * (1 - RENEW_SHARE)


def judge_waiting(steps: Iterable[Step], now_ms: int) -> tuple[list[str], list[str]]:
    """Return which of some steps are not complete, and which of these are blocked."""
    missing = [step for step in steps if step.written is not StepState.COMPLETE]
    blocked = [step.step for step in missing if step.state(now_ms) is StepState.BLOCKED]
    return [step.step for step in missing], blocked


def moment(milliseconds: int) -> datetime:
    """Return a time, UTC, from milliseconds since 1970; what is beyond the calendar, its end."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.max.replace(tzinfo=UTC)


def _held(step: Step, agent: str) -> StepHeldError:
    return StepHeldError(
        step=step.step,
        holder=step.agent,
        token=step.token,
        expires_at=step.expires_at,
        is_own=step.agent == agent,
    )


def _check_holder(step: Step, agent: str, token: int, now_ms: int, action: str) -> None:
    if step.written is StepState.COMPLETE:
        raise StepEndedError(step=step.step, by=step.agent)
    if step.written is not StepState.IN_PROGRESS:
        raise StepNotHeldError(step=step.step, state=step.written, action=action)
    if step.agent != agent:
        if step.is_held(now_ms):
            raise _held(step, agent)
        raise StepNotHeldError(step=step.step, state=StepState.PENDING, action=action)
    if token != step.token:
        raise LeaseLostError(step=step.step, token=token, reason=_other_claim(step, token))
    if not step.is_held(now_ms):
        reason = f"its lease ran out at {clock_time(step.expires_at)}: claim it again"
        raise LeaseLostError(step=step.step, token=token, reason=reason)


def _other_claim(step: Step, token: int) -> str:
    if not token:
        return f"this home has no token of it: give --token {step.token} if the claim is yours"
    return f"token {token} is of an earlier claim, {shown(step.agent)} has claimed it again since"


def moved_on(step: Step, sequence: int) -> Step:
    """Return a step whose newest message, which says nothing, is at another sequence."""
    return step if step.sequence == sequence else replace(step, sequence=sequence)
