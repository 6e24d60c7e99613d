"""The `ContentSource` of commands: contents from history, else from the bus.

Contents move from the bus into history meanwhile: what is on neither side when it is looked for
there is looked for in history once more.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import AsyncExitStack
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cortex.cli.places import bus_url
from cortex.cli.session import Session
from infrastructure.history.blobs import ASKED_AT_ONCE, CHUNK_BYTES, Blobs
from infrastructure.history.client import HistoryClient
from infrastructure.history.query_text import query_text
from nervous_system.comms.open import open_bus
from nervous_system.config import BusConfig
from nervous_system.errors import ContentMissingError

if TYPE_CHECKING:
    from nervous_system.comms.contracts import ContentStore


class KeptContent:
    """Reads contents wherever they are; the bus is opened when it is needed first."""

    def __init__(self, session: Session, history: HistoryClient, stack: AsyncExitStack) -> None:
        self._session = session
        self._history = history
        self._blobs = Blobs(history)
        self._stack = stack
        self._bus: ContentStore | None = None
        self._from_bus: tuple[str, bytes] = ("", b"")
        """The content that came from the bus last: its size is asked for before its bytes."""

    async def sizes(self, digests: Collection[str]) -> dict[str, int]:
        """Return the size of those of `digests` that are kept whole."""
        wanted = sorted(set(digests))
        found = await self._sizes_in_history(wanted)
        rest = [digest for digest in wanted if digest not in found]
        for digest in rest:
            try:
                found[digest] = len(await self._get_from_bus(digest))
            except ContentMissingError:
                continue
        moved = await self._sizes_in_history([digest for digest in rest if digest not in found])
        return found | moved

    async def get(self, digest: str) -> bytes:
        """Return a content, checked.

        Raises:
            ContentMissingError: it is not kept, or damaged.
        """
        try:
            return await asyncio.to_thread(self._blobs.get, digest)
        except ContentMissingError:
            pass
        try:
            return await self._get_from_bus(digest)
        except ContentMissingError:
            return await asyncio.to_thread(self._blobs.get, digest)

    async def get_small(self, digests: Collection[str]) -> dict[str, bytes]:
        """Return those of `digests` that are kept, checked."""
        wanted = sorted(set(digests))
        rows: list[dict[str, Any]] = []
        for part in _parts(wanted):
            rows += await asyncio.to_thread(
                self._history.query,
                query_text("blob_firsts"),
                {"digests": part},
                bytes_columns=["content"],
            )
        found = {
            str(row["digest"]): bytes(row["content"])
            for row in rows
            if int(row["size"]) <= CHUNK_BYTES
        }
        whole = {digest: content for digest, content in found.items() if _fits(digest, content)}
        for digest in wanted:
            if digest not in whole:
                try:
                    whole[digest] = await self.get(digest)
                except ContentMissingError:
                    continue
        return whole

    async def pieces(self, digest: str) -> AsyncIterator[bytes]:
        """Yield a content in order; the caller checks the digest of the whole.

        Raises:
            ContentMissingError: a part of it is not kept.
        """
        if not await asyncio.to_thread(self._blobs.exists, digest):
            yield await self.get(digest)
            return
        pieces = self._blobs.pieces(digest)
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece

    async def _sizes_in_history(self, digests: Collection[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for part in _parts(sorted(digests)):
            rows = await asyncio.to_thread(
                self._history.query, query_text("blob_sizes"), {"digests": part}
            )
            found |= {str(row["digest"]): int(row["size"]) for row in rows}
        return found

    async def _get_from_bus(self, digest: str) -> bytes:
        if self._from_bus[0] != digest:
            if self._bus is None:
                config = BusConfig(url=bus_url(self._session), name="swarm-contents")
                self._bus = (await self._stack.enter_async_context(open_bus(config))).content
            self._from_bus = (digest, await self._bus.get(digest))
        return self._from_bus[1]


def _parts(digests: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(digests), ASKED_AT_ONCE):
        yield digests[start : start + ASKED_AT_ONCE]


def _fits(digest: str, content: bytes) -> bool:
    return sha256(content).hexdigest() == digest
