"""Brings memory up to date beside the work: new texts are taken in, vectors made of them.

One pass at a time in a process, begun when somebody asks and awaited only as long as the one who
asks can wait; what a pass leaves, the next goes on with. A pass that fails is a log record.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context

from cortex.memory.vector_store import EmbeddingModel, VectorStore, embed_missing
from nervous_system.comms.running import end_task
from nervous_system.errors import SwarmError

EMBEDDED_AT_ONCE = 1_024
"""Texts that one pass makes vectors of, the newest first."""
_log = logging.getLogger(__name__)


class Keeper:
    """Keeps memory up to date. Made by `open_keeper`."""

    def __init__(self, store: VectorStore, model: EmbeddingModel | None) -> None:
        self._store = store
        self._model = model
        self._pass: asyncio.Task[None] | None = None

    async def catch_up(self, seconds: float | None) -> bool:
        """Begin a pass unless one is under way; wait for it so long, None: to its end.

        Returns whether it has ended.
        """
        if self._pass is None or self._pass.done():
            # On behalf of nobody: what it costs is not the asking agent's to tell.
            self._pass = asyncio.create_task(self._run(), name="memory", context=Context())
        done, _ = await asyncio.wait({self._pass}, timeout=seconds)
        return bool(done)

    async def close(self) -> None:
        """End the pass that is under way."""
        if self._pass is not None:
            await end_task(self._pass)

    async def _run(self) -> None:
        try:
            while await self._store.take_in():
                pass
            if self._model is None:
                return
            made = await embed_missing(self._store, self._model, EMBEDDED_AT_ONCE)
            while await self._store.extend_index(self._model.name):
                pass
        except SwarmError as error:
            _log.warning(
                "memory is not brought up to date",
                extra={"action": "memory_not_kept", "reason": str(error)},
            )
            return
        if made:
            _log.info("vectors made", extra={"action": "memory_embedded", "texts": made})


@asynccontextmanager
async def open_keeper(store: VectorStore, model: EmbeddingModel | None) -> AsyncIterator[Keeper]:
    """Keep memory up to date for as long as the block runs."""
    keeper = Keeper(store, model)
    try:
        yield keeper
    finally:
        await keeper.close()
