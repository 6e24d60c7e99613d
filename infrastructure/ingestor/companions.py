"""Runs what stands beside the ingestor, such as the OTLP intake, and knows what keeps it from it.

A companion that fails takes nothing else with it: events go on into history, and readiness says
what is wrong until the companion runs again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence

from infrastructure.errors import HistoryUnavailableError, QueryFailedError
from nervous_system.comms.pausing import pause
from nervous_system.errors import SwarmError

logger = logging.getLogger(__name__)

FIRST_DELAY_SECONDS = 0.5
LAST_DELAY_SECONDS = 30.0
SETTLED_SECONDS = 5.0
"""A companion that has run for so long is taken for well."""
_PASSING = (QueryFailedError, HistoryUnavailableError)
"""What passes by itself once history is ready."""

Companion = Callable[[asyncio.Event], Awaitable[None]]
"""Something that runs beside the ingestor until the event is set."""


class Companions:
    """Companions of one process, each kept running."""

    def __init__(self, companions: Sequence[Companion]) -> None:
        self._companions = companions
        self._problems: dict[int, str] = {}

    @property
    def problems(self) -> list[str]:
        """What keeps companions from running, a sentence each."""
        return list(self._problems.values())

    async def run(self, stop: asyncio.Event) -> None:
        """Run all of them until `stop` is set."""
        async with asyncio.TaskGroup() as group:
            for place, companion in enumerate(self._companions):
                group.create_task(self._keep(place, companion, stop))

    async def _keep(self, place: int, companion: Companion, stop: asyncio.Event) -> None:
        loop, delay = asyncio.get_running_loop(), FIRST_DELAY_SECONDS
        while not stop.is_set():
            began_at = loop.time()
            settling = loop.call_later(SETTLED_SECONDS, self._problems.pop, place, None)
            try:
                await companion(stop)
            except Exception as error:  # noqa: BLE001 whatever it is, events go on
                self._note(place, error)
            else:
                return
            finally:
                settling.cancel()
            if loop.time() - began_at > SETTLED_SECONDS:
                delay = FIRST_DELAY_SECONDS
            await pause(stop, delay)
            delay = min(2 * delay, LAST_DELAY_SECONDS)

    def _note(self, place: int, error: Exception) -> None:
        errors = list(leaves(error))
        reason = "; ".join(str(one) or type(one).__name__ for one in errors)
        if not all(isinstance(one, _PASSING) for one in errors):
            self._problems[place] = reason
        is_known = all(isinstance(one, SwarmError) for one in errors)
        logger.warning(
            "companion ended",
            extra={"action": "companion_ended", "reason": reason},
            exc_info=None if is_known else error,
        )


def leaves(error: Exception) -> Iterator[Exception]:
    """Yield the errors in a group, however deep; an error that is no group is its own leaf."""
    if isinstance(error, ExceptionGroup):
        for one in error.exceptions:
            yield from leaves(one)
    else:
        yield error
