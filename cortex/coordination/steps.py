"""Steps that agents share: claim, renew, release, complete, look, wait.

Each operation is one conditional publish; what it may be is decided by `steps_rules`. What this
process knows of its own claims spares it reading before it writes: where that turns out to be out
of date, the newest transition is read and the decision made again.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from cortex.coordination import places, steps_rules
from cortex.coordination.causes import Causes
from cortex.coordination.clock import now_ms
from cortex.coordination.errors import (
    BusyError,
    CoordinationError,
    WaitEndedError,
)
from cortex.coordination.log import Entry, SharedLog
from cortex.coordination.names import step_name
from cortex.coordination.steps_rules import (
    DEFAULT_LEASE_SECONDS,
    MAX_LEASE_SECONDS,
    Decision,
    Step,
    StepState,
    StepTrigger,
)
from cortex.coordination.tokens import Held, Tokens
from nervous_system import events
from nervous_system.errors import ConfigError, WrongSequenceError

TRIES = 50
DEFAULT_WAIT_SECONDS = 300.0
NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """What an agent that ends a step tells whoever comes next."""

    note: str = ""
    next_agent: str = ""
    next_action: str = ""
    changed_files: Sequence[str] = ()
    exit_code: int | None = None
    """Of the command that worked on it."""

    def document(self, agent: str, step: str) -> dict[str, Any]:
        """Return the record as it is kept."""
        return {
            "from_agent": agent,
            "from_step": step,
            "next_agent": self.next_agent or None,
            "next_action": self.next_action or None,
            "note": self.note or None,
            "changed_files": list(self.changed_files),
            **({} if self.exit_code is None else {"exit_code": self.exit_code}),
        }


NO_HANDOFF = Handoff()


class Steps:
    """The steps of one project, for one agent."""

    def __init__(self, log: SharedLog, tokens: Tokens, causes: Causes) -> None:
        self._log = log
        self._tokens = tokens
        self._causes = causes
        self.agent = log.author.agent
        self._project = log.author.project
        self.has_claimed = asyncio.Event()
        """Set by each claim, for whoever keeps them."""

    async def claim(
        self,
        step: str,
        *,
        lease: float = DEFAULT_LEASE_SECONDS,
        token: int = 0,
        command: Sequence[str] = (),
        because: Iterable[str] = (),
    ) -> Step:
        """Claim a step; of all who try at once, one succeeds.

        Args:
            step: its name.
            lease: for how many seconds the claim holds.
            token: of one's own claim, to prolong it.
            command: what will work on it.
            because: ids of the events that led to it.

        Raises:
            StepHeldError: somebody holds it.
            StepEndedError: it is complete.
            NameRefusedError: no step can be called so.
        """
        lease_ms = lease_in_ms(lease)
        document = {"command": list(command)} if command else NOTHING

        def decide(found: Step) -> Decision:
            return steps_rules.decide_claim(
                found, self.agent, now_ms=now_ms(), lease_ms=lease_ms, token=token
            )

        claimed = await self._change(
            Step(step=step_name(step)), decide, document, because, is_known=False
        )
        await self._tokens.keep(Held.of(claimed, lease_ms))
        self.has_claimed.set()
        return claimed

    async def renew(self, step: str, *, lease: float | None = None, token: int = 0) -> Step:
        """Prolong one's own claim, by its own lease unless another is given.

        Raises:
            LeaseLostError: the lease has run out, or the token is of another claim.
            StepHeldError: another agent holds the step.
            StepNotHeldError: nobody holds it.
        """
        held = self._held(step, token)
        lease_ms = held.lease_ms if lease is None else lease_in_ms(lease)

        def decide(found: Step) -> Decision:
            return steps_rules.decide_renewal(
                found, self.agent, now_ms=now_ms(), lease_ms=lease_ms, token=held.token
            )

        renewed = await self._change(self._known(held), decide, NOTHING, ())
        await self._tokens.keep(Held.of(renewed, lease_ms))
        return renewed

    async def release(self, step: str, *, token: int = 0, because: Iterable[str] = ()) -> Step:
        """Let go of a step without a result; it is pending again.

        Raises:
            LeaseLostError: the lease has run out, or the token is of another claim.
            StepHeldError: another agent holds the step.
            StepNotHeldError: nobody holds it.
        """
        held = self._held(step, token)

        def decide(found: Step) -> Decision:
            return steps_rules.decide_release(found, self.agent, now_ms=now_ms(), token=held.token)

        return await self._let_go(held, decide, NOTHING, because)

    async def complete(
        self,
        step: str,
        *,
        state: StepState = StepState.COMPLETE,
        handoff: Handoff = NO_HANDOFF,
        token: int = 0,
        force: bool = False,
        because: Iterable[str] = (),
    ) -> Step:
        """End a step that one holds; with `force` one that one does not.

        Args:
            step: its name.
            state: complete, blocked or needs_review.
            handoff: what the next agent is told.
            token: of the claim; by default the one that is kept.
            force: whoever holds it.
            because: ids of the events that led to it.

        Raises:
            LeaseLostError: the lease has run out, or the token is of another claim.
            StepHeldError: another agent holds the step.
            StepNotHeldError: nobody holds it.
            StepEndedError: it is complete already.
        """
        held = self._held(step, token)

        def decide(found: Step) -> Decision:
            return steps_rules.decide_end(
                found, self.agent, now_ms=now_ms(), token=held.token, state=state, force=force
            )

        return await self._let_go(
            held, decide, handoff.document(self.agent, held.step), because, is_known=not force
        )

    async def status(self, step: str) -> Step:
        """Return a step as its newest transition has it.

        Raises:
            BusUnavailableError: the bus is away.
        """
        name = step_name(step)
        pattern = places.thing(places.STEP, self._project, name)
        found, sequence = await self._log.newest_read(pattern, read_step)
        return steps_rules.moved_on(found or Step(step=name), sequence)

    async def list(self) -> list[Step]:
        """Return all steps, in the order in which something last happened to them.

        Raises:
            BusUnavailableError: the bus is away.
        """
        found = await self._log.newest_of_each(places.whole(places.STEP, self._project))
        newest: dict[str, Step] = {}
        for step in filter(None, map(read_step, found)):
            newest.pop(step.step, None)
            newest[step.step] = step
        return list(newest.values())

    async def wait_for(
        self, *steps: str, timeout: float | None = DEFAULT_WAIT_SECONDS
    ) -> Sequence[Step]:
        """Return when all of some steps are complete.

        Args:
            steps: their names.
            timeout: seconds; None: for ever.

        Raises:
            WaitEndedError: one is blocked, or they are not complete in time.
        """
        names = list(dict.fromkeys(map(step_name, steps)))
        known = {name: Step(step=name) for name in names}
        try:
            async with asyncio.timeout(timeout):
                await self._wait(known)
        except TimeoutError:
            missing, _ = steps_rules.judge_waiting(known.values(), now_ms())
            raise WaitEndedError(missing=missing, blocked=(), seconds=timeout or 0) from None
        return list(known.values())

    async def _wait(self, known: dict[str, Step]) -> None:
        """Follow steps from their present state on, until they are complete."""
        start = await self._log.end() + 1
        for step in await asyncio.gather(*map(self.status, known)):
            known[step.step] = step
        if _is_over(known):
            return
        patterns = [places.thing(places.STEP, self._project, name) for name in known]
        async with aclosing(self._log.follow(*patterns, start=start)) as entries:
            async for entry in entries:
                changed = read_step(entry)
                if changed is not None and changed.sequence > known[changed.step].sequence:
                    known[changed.step] = changed
                    if _is_over(known):
                        return

    async def _let_go(
        self,
        held: Held,
        decide: Callable[[Step], Decision],
        document: Mapping[str, Any],
        because: Iterable[str],
        *,
        is_known: bool = True,
    ) -> Step:
        known = self._known(held)
        ended = await self._change(known, decide, document, because, is_known=is_known)
        await self._tokens.drop(held.step)
        return ended

    async def _change(
        self,
        known: Step,
        decide: Callable[[Step], Decision],
        document: Mapping[str, Any],
        because: Iterable[str],
        *,
        is_known: bool = True,
    ) -> Step:
        """Write what `decide` makes of the step as it is known, or else as it is read."""
        if is_known and known.sequence:
            try:
                return await self._write(decide(known), document, because)
            except (WrongSequenceError, CoordinationError):
                pass  # what was known is out of date: the step itself says what is so
        for _ in range(TRIES):
            found = await self.status(known.step)
            try:
                return await self._write(decide(found), document, because)
            except WrongSequenceError:
                continue
        raise BusyError(what=f"step {known.step!r}", tries=TRIES)

    async def _write(
        self, decision: Decision, document: Mapping[str, Any], because: Iterable[str]
    ) -> Step:
        step = decision.step
        payload = events.step_transition(
            step.step,
            state=decision.state,
            trigger=decision.trigger,
            holder=decision.holder,
            fence=decision.fence,
            expires_at_ms=decision.expires_at_ms,
            document=document or "",
        )
        before = [step.event_id] if step.event_id else []
        causes = [] if decision.trigger is StepTrigger.RENEW else self._causes.for_next(because)
        pattern = places.thing(places.STEP, self._project, step.step)
        written = await self._log.write(payload, pattern, step.sequence, because=[*before, *causes])
        kept = parse_document(written.event.step_transition.step_document)
        return decision.applied(written.sequence, written.event_id, self.agent, kept)

    def _held(self, step: str, token: int) -> Held:
        """Return what is known of one's own claim; a token that is given counts."""
        name = step_name(step)
        held = self._tokens.get(name)
        if held is None or (token and token != held.token):
            return Held(step=name, token=token)
        return held

    def _known(self, held: Held) -> Step:
        if not held.sequence:
            return Step(step=held.step)
        return Step(
            step=held.step,
            written=StepState.IN_PROGRESS,
            trigger=StepTrigger.CLAIM,
            agent=self.agent,
            token=held.token,
            expires_at_ms=held.expires_at_ms,
            sequence=held.sequence,
            event_id=held.event_id,
        )


def lease_in_ms(seconds: float) -> int:
    """Return a lease in milliseconds.

    Raises:
        ConfigError: no claim can hold for so long.
    """
    if not 0 < seconds <= MAX_LEASE_SECONDS:
        expected = f"seconds, above 0 and up to {MAX_LEASE_SECONDS:.0f}"
        raise ConfigError(
            variable="lease", given=f"{seconds:g}", expected=expected, fix="correct it"
        )
    return max(1, round(seconds * 1000))


def read_step(entry: Entry) -> Step | None:
    """Return the step that a message is about, as it is then; None where it says nothing valid.

    A step is held by whoever has written the claim: nobody can claim for another.
    """
    names = places.parse(entry.subject, places.STEP)
    if names is None or len(names) != 2 or entry.event is None:
        return None
    if entry.event.WhichOneof("payload") != "step_transition":
        return None
    said = entry.event.step_transition
    try:
        state, trigger = StepState(said.step_state), StepTrigger(said.step_trigger)
    except ValueError:
        return None
    is_held = state is StepState.IN_PROGRESS
    if said.step_id != names[0] or (is_held and said.step_holder != entry.agent):
        return None
    return Step(
        step=names[0],
        written=state,
        trigger=trigger,
        agent=entry.agent,
        token=entry.sequence if trigger is StepTrigger.CLAIM else said.step_fence,
        expires_at_ms=said.step_expires_at_ms,
        document=parse_document(said.step_document),
        sequence=entry.sequence,
        event_id=entry.event.event_id,
        at=entry.at,
    )


def parse_document(text: str) -> Mapping[str, Any]:
    """Return the object in a step's document; empty where there is none."""
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_over(known: Mapping[str, Step]) -> bool:
    """Whether all are complete.

    Raises:
        WaitEndedError: one is blocked.
    """
    missing, blocked = steps_rules.judge_waiting(known.values(), now_ms())
    if blocked:
        raise WaitEndedError(missing=missing, blocked=blocked, seconds=0)
    return not missing
