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
from infrastructure.history.blobs import ASKED_AT_ONCE, Blobs
from infrastructure.history.client import HistoryClient
from infrastructure.history.query_text import query_text
from nervous_system.comms.open import open_bus
from nervous_system.config import BusConfig
from nervous_system.errors import ContentMissingError

if TYPE_CHECKING:
    from nervous_system.comms.contracts import ContentStore


class HistoryContents:
    """Contents that history has."""

    def __init__(self, history: HistoryClient) -> None:
        self._history = history
        self._blobs = Blobs(history)

    async def sizes(self, digests: Collection[str]) -> dict[str, int]:
        """Return the size of those of `digests` that are kept whole."""
        found: dict[str, int] = {}
        for part in _parts(digests):
            rows = await asyncio.to_thread(
                self._history.query, query_text("blob_sizes"), {"digests": part}
            )
            found |= {str(row["digest"]): int(row["size"]) for row in rows}
        return found

    async def get(self, digest: str) -> bytes:
        """Return a content, checked.

        Raises:
            ContentMissingError: it is not kept, or damaged.
        """
        return await asyncio.to_thread(self._blobs.get, digest)

    async def get_small(self, digests: Collection[str]) -> dict[str, bytes]:
        """Return those of `digests` that are kept and fit into one chunk, checked."""
        rows: list[dict[str, Any]] = []
        for part in _parts(digests):
            rows += await asyncio.to_thread(
                self._history.query,
                query_text("blob_firsts"),
                {"digests": part},
                bytes_columns=["content"],
            )
        found = {str(row["digest"]): bytes(row["content"]) for row in rows}
        return {digest: content for digest, content in found.items() if _fits(digest, content)}

    async def pieces(self, digest: str) -> AsyncIterator[bytes]:
        """Yield a content in order; the caller checks the digest of the whole.

        Raises:
            ContentMissingError: a part of it is not kept.
        """
        pieces = self._blobs.pieces(digest)
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece


class KeptContent:
    """Contents wherever they are; the bus is opened when it is needed first."""

    def __init__(self, session: Session, history: HistoryClient, stack: AsyncExitStack) -> None:
        self._session = session
        self._kept = HistoryContents(history)
        self._stack = stack
        self._bus: ContentStore | None = None
        self._from_bus: tuple[str, bytes] = ("", b"")
        """The content that came from the bus last: its size is asked for before its bytes."""

    async def sizes(self, digests: Collection[str]) -> dict[str, int]:
        """Return the size of those of `digests` that are kept whole."""
        wanted = sorted(set(digests))
        found = await self._kept.sizes(wanted)
        rest = [digest for digest in wanted if digest not in found]
        for digest in rest:
            try:
                found[digest] = len(await self._get_from_bus(digest))
            except ContentMissingError:
                continue
        moved = await self._kept.sizes([digest for digest in rest if digest not in found])
        return found | moved

    async def get(self, digest: str) -> bytes:
        """Return a content, checked.

        Raises:
            ContentMissingError: it is not kept, or damaged.
        """
        for get in (self._kept.get, self._get_from_bus):
            try:
                return await get(digest)
            except ContentMissingError:
                continue
        return await self._kept.get(digest)

    async def get_small(self, digests: Collection[str]) -> dict[str, bytes]:
        """Return those of `digests` that are kept, checked."""
        found = await self._kept.get_small(digests)
        for digest in sorted(set(digests) - set(found)):
            try:
                found[digest] = await self.get(digest)
            except ContentMissingError:
                continue
        return found

    async def pieces(self, digest: str) -> AsyncIterator[bytes]:
        """Yield a content in order; the caller checks the digest of the whole.

        Raises:
            ContentMissingError: a part of it is not kept.
        """
        if not await self._kept.sizes([digest]):
            yield await self.get(digest)
            return
        async for piece in self._kept.pieces(digest):
            yield piece

    async def _get_from_bus(self, digest: str) -> bytes:
        if self._from_bus[0] != digest:
            if self._bus is None:
                config = BusConfig(url=bus_url(self._session), name="swarm-contents")
                self._bus = (await self._stack.enter_async_context(open_bus(config))).content
            self._from_bus = (digest, await self._bus.get(digest))
        return self._from_bus[1]


def _parts(digests: Collection[str]) -> Iterator[list[str]]:
    wanted = sorted(set(digests))
    for start in range(0, len(wanted), ASKED_AT_ONCE):
        yield wanted[start : start + ASKED_AT_ONCE]


def _fits(digest: str, content: bytes) -> bool:
    return sha256(content).hexdigest() == digest
