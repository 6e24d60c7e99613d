"""Keeps the claims of an agent: whatever command of it runs prolongs the leases that are due."""

import asyncio
import logging
from collections.abc import Collection
from contextlib import suppress

from cortex.coordination.clock import now_ms
from cortex.coordination.errors import CoordinationError
from cortex.coordination.steps import Steps
from cortex.coordination.steps_rules import StepState, is_renewal_due
from cortex.coordination.tokens import Held, Tokens
from nervous_system.errors import BusError

logger = logging.getLogger(__name__)

RENEWALS_PER_LEASE = 3
MIN_PAUSE_SECONDS = 0.05


class LeaseKeeper:
    """Renews what one agent holds."""

    def __init__(self, steps: Steps, tokens: Tokens) -> None:
        self._steps = steps
        self._tokens = tokens

    async def renew_due(self, leave_out: Collection[str] = ()) -> dict[str, str]:
        """Prolong the claims of which enough has passed; return those that are lost, with why.

        Args:
            leave_out: steps that somebody is busy with.
        """
        now = now_ms()
        due = [
            one
            for one in self._tokens.all()
            if one.step not in leave_out
            and (now >= one.expires_at_ms or is_renewal_due(one.expires_at_ms, one.lease_ms, now))
        ]
        reasons = await asyncio.gather(*map(self._renew, due))
        return {one.step: why for one, why in zip(due, reasons, strict=True) if why}

    def pause_seconds(self, longest: float) -> float:
        """Return how long to wait before the next renewals."""
        pauses = [one.lease_ms / 1000 / RENEWALS_PER_LEASE for one in self._tokens.all()]
        return max(MIN_PAUSE_SECONDS, min([longest, *pauses]))

    async def pause(self, longest: float) -> None:
        """Wait until renewals may be due again, or a claim was made that has to be looked after."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.pause_seconds(longest)):
                await self._steps.has_claimed.wait()
        self._steps.has_claimed.clear()

    async def _renew(self, held: Held) -> str:
        """Prolong one claim; return why it is lost, or nothing, also while the bus is away."""
        try:
            await self._steps.renew(held.step)
        except CoordinationError as error:
            await self._tokens.drop(held.step)
            return "" if await self._is_over(held) else str(error)
        except BusError as error:
            logger.debug("not renewed", extra={"action": "renewal_failed", "reason": str(error)})
        return ""

    async def _is_over(self, held: Held) -> bool:
        """Whether this agent itself has ended or released what it held, in another process."""
        try:
            found = await self._steps.status(held.step)
        except BusError:
            return False
        is_own = found.agent == self._steps.agent and found.token == held.token
        return is_own and found.written is not StepState.IN_PROGRESS
