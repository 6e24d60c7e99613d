"""What earlier runs left, for those who cannot wait: an answer within a deadline, or none.

Joins searching and keeping up to date. History that did not answer is left alone for a while, so
that a run of many tasks does not wait for it at each.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from cortex.memory.keeping import Keeper
from cortex.memory.retrieval import DEFAULT_LIMIT, Mode, Recalled, Retriever, Scope
from nervous_system.errors import SwarmError

RECALL_SECONDS = 5.0
"""Longest that an agent waits for memories."""
KEEPING_SECONDS = 0.5
"""Of these, for taking in what earlier runs have left."""
REST_SECONDS = 30.0
"""How long history is left alone after it did not answer."""
_log = logging.getLogger(__name__)


class LongTermMemory:
    """Memories of earlier runs; never an error, never late."""

    def __init__(
        self,
        retriever: Retriever,
        keeper: Keeper,
        *,
        seconds: float = RECALL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._retriever = retriever
        self._keeper = keeper
        self._seconds = seconds
        self._clock = clock
        self._resting_until = 0.0

    async def recall(
        self, question: str, *, excluded_run: str, limit: int = DEFAULT_LIMIT
    ) -> Recalled:
        """Return what earlier runs left about a question; nothing, with the reason, if need be."""
        if self._clock() < self._resting_until:
            return _nothing("history did not answer a moment ago")
        try:
            async with asyncio.timeout(self._seconds):
                await self._keeper.catch_up(min(KEEPING_SECONDS, self._seconds / 2))
                scope = Scope(excluded_run=excluded_run)
                return await self._retriever.recall(question, scope=scope, limit=limit)
        except (SwarmError, TimeoutError) as error:
            reason = str(error) or f"no answer within {self._seconds:g} s"
        self._resting_until = self._clock() + REST_SECONDS
        _log.warning("nothing is recalled", extra={"action": "recall_failed", "reason": reason})
        return _nothing(reason)


def _nothing(reason: str) -> Recalled:
    return Recalled(mode=Mode.NONE, reason=reason)
