"""Whatever agents try on a step, in whatever order and however late: one holds it at a time."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cortex.coordination.errors import CoordinationError, StepEndedError
from cortex.coordination.steps_rules import (
    ENDS,
    Decision,
    Step,
    StepState,
    StepTrigger,
    decide_claim,
    decide_end,
    decide_release,
    decide_renewal,
    is_renewal_due,
    judge_waiting,
)

AGENTS = st.sampled_from(["a", "b", "c"])
LEASE = 1_000


@dataclass
class Claimed:
    """What an agent believes of a claim of its own."""

    agent: str
    token: int


class OneStep(RuleBasedStateMachine):
    """Writes are conditioned: what is decided on an old step is not stored."""

    def __init__(self) -> None:
        super().__init__()
        self.step = Step(step="s")
        self.now = 1_000_000
        self.sequence = 0
        self.claims: list[Claimed] = []
        self.ended: list[Claimed] = []

    def store(self, decision: Decision, agent: str) -> None:
        self.sequence += 1
        self.step = decision.applied(self.sequence, f"e{self.sequence}", agent, {})

    @rule(milliseconds=st.integers(0, 2 * LEASE))
    def time_passes(self, milliseconds: int) -> None:
        self.now += milliseconds

    @rule(agent=AGENTS)
    def claim(self, agent: str) -> None:
        was_free = not self.step.is_held(self.now)
        was_complete = self.step.written is StepState.COMPLETE
        try:
            decision = decide_claim(self.step, agent, now_ms=self.now, lease_ms=LEASE)
        except CoordinationError:
            assert was_complete or not was_free
            return
        assert was_free
        assert not was_complete
        self.store(decision, agent)
        self.claims.append(Claimed(agent, self.step.token))

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), how=st.sampled_from(["renew", "release", *ENDS]))
    def use_a_claim(self, data: st.DataObject, how: str) -> None:
        """Also one of long ago: only the newest, in time, may do anything."""
        mine = data.draw(st.sampled_from(self.claims))
        may = self.step.is_held(self.now) and mine.token == self.step.token
        try:
            self.store(self.decide(mine, how), mine.agent)
        except CoordinationError:
            assert not may
            return
        assert may
        if how in ENDS:
            self.ended.append(mine)

    def decide(self, mine: Claimed, how: str) -> Decision:
        if how == "renew":
            return decide_renewal(
                self.step, mine.agent, now_ms=self.now, lease_ms=LEASE, token=mine.token
            )
        if how == "release":
            return decide_release(self.step, mine.agent, now_ms=self.now, token=mine.token)
        return decide_end(
            self.step, mine.agent, now_ms=self.now, token=mine.token, state=StepState(how)
        )

    @invariant()
    def tokens_grow(self) -> None:
        tokens = [one.token for one in self.claims]
        assert tokens == sorted(set(tokens))

    @invariant()
    def no_claim_ends_twice(self) -> None:
        tokens = [one.token for one in self.ended]
        assert len(tokens) == len(set(tokens))


TestOneStep = OneStep.TestCase

steps = st.builds(
    Step,
    step=st.just("s"),
    written=st.sampled_from(StepState),
    trigger=st.sampled_from(StepTrigger),
    agent=AGENTS,
    token=st.integers(1, 50),
    expires_at_ms=st.integers(0, 10_000),
    sequence=st.integers(1, 99),
)
times = st.integers(0, 10_000)


@given(steps, AGENTS, times)
def test_what_is_complete_stays_complete(step: Step, agent: str, now: int) -> None:
    done = replace(step, written=StepState.COMPLETE)
    with pytest.raises(StepEndedError):
        decide_claim(done, agent, now_ms=now, lease_ms=LEASE)
    with pytest.raises(StepEndedError):
        decide_release(done, agent, now_ms=now, token=done.token)
    with pytest.raises(StepEndedError):
        decide_end(done, agent, now_ms=now, token=done.token)


@given(steps, AGENTS, times, st.sampled_from(ENDS))
def test_force_ends_whatever_it_is(step: Step, agent: str, now: int, state: StepState) -> None:
    decision = decide_end(step, agent, now_ms=now, token=0, state=state, force=True)
    assert (decision.state, decision.trigger) == (state, StepTrigger.FORCE)


@given(steps, times)
def test_an_expired_claim_reads_pending_and_held_by_nobody(step: Step, now: int) -> None:
    late = replace(step, written=StepState.IN_PROGRESS, expires_at_ms=now)
    assert (late.state(now), late.holder(now)) == (StepState.PENDING, "")


@given(steps, times, st.integers(1, 10_000))
def test_a_renewal_never_shortens_a_lease(step: Step, now: int, lease: int) -> None:
    held = replace(step, written=StepState.IN_PROGRESS, expires_at_ms=now + 500)
    renewed = decide_renewal(held, held.agent, now_ms=now, lease_ms=lease, token=held.token)
    assert renewed.expires_at_ms >= held.expires_at_ms


@given(times, st.integers(1, 10_000), times)
def test_a_renewal_is_due_after_a_tenth_and_before_the_end(
    expires_at: int, lease: int, now: int
) -> None:
    if is_renewal_due(expires_at, lease, now):
        assert now < expires_at
        assert expires_at - now <= 0.9 * lease


@given(st.lists(steps, max_size=4), times)
def test_waiting_is_over_when_all_are_complete(found: list[Step], now: int) -> None:
    missing, blocked = judge_waiting(found, now)
    assert (not missing) == all(one.written is StepState.COMPLETE for one in found)
    assert len(blocked) == sum(one.written is StepState.BLOCKED for one in found)
