"""Keeps the claims of an agent: whatever command of it runs prolongs the leases that are due."""

import asyncio
import logging
from collections.abc import Collection
from contextlib import suppress

from cortex.coordination.clock import now_ms
from cortex.coordination.errors import CoordinationError
from cortex.coordination.steps import Steps
from cortex.coordination.steps_rules import is_renewal_due
from cortex.coordination.tokens import Tokens
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
        held = [one for one in self._tokens.all() if one.step not in leave_out]
        gone = [one.step for one in held if one.expires_at_ms <= now_ms()]
        due = [
            one.step for one in held if is_renewal_due(one.expires_at_ms, one.lease_ms, now_ms())
        ]
        lost = dict.fromkeys(gone, "its lease has run out")
        lost |= {
            step: reason
            for step, reason in zip(due, await asyncio.gather(*map(self._renew, due)), strict=True)
            if reason
        }
        for step in lost:
            await self._tokens.drop(step)
        return lost

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

    async def _renew(self, step: str) -> str:
        """Prolong one claim; return why that cannot be, or nothing, also while the bus is away."""
        try:
            await self._steps.renew(step)
        except CoordinationError as error:
            return str(error)
        except BusError as error:
            logger.debug("not renewed", extra={"action": "renewal_failed", "reason": str(error)})
        return ""
