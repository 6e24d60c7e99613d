"""What an agent has just read, which is what leads to what it does next."""

from collections.abc import Iterable
from typing import Protocol

from cortex.coordination.clock import now_ms

MAX_CAUSES = 8
"""The newest so many messages are named as causes."""
KEPT_MS = 3_600_000
"""After an hour what was read no longer explains what is done."""


class CauseStore(Protocol):
    """Keeps causes from one command of an agent to its next."""

    def causes(self) -> tuple[list[str], int]:
        """Return event ids, and when they were read, in milliseconds since 1970."""
        ...

    async def keep_causes(self, event_ids: list[str], read_at_ms: int) -> None:
        """Put these in the place of those before."""
        ...


class Causes:
    """The messages that an agent was shown last; what it does next names them as its causes."""

    def __init__(self, store: CauseStore) -> None:
        self._store = store

    def for_next(self, because: Iterable[str]) -> list[str]:
        """Return the ids of the events that lead to what is done now."""
        read, read_at_ms = self._store.causes()
        is_recent = 0 <= now_ms() - read_at_ms < KEPT_MS
        return list(dict.fromkeys([*because, *(read if is_recent else [])]))

    async def note(self, event_ids: Iterable[str]) -> None:
        """Take messages that were shown now for what leads to what comes next."""
        shown = list(event_ids)[-MAX_CAUSES:]
        if shown:
            await self._store.keep_causes(shown, now_ms())
