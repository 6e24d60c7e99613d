"""The `ContentSource` of commands: contents from history, else from the bus.

Contents move from the bus into history meanwhile: what is on neither side when it is looked for
there is looked for in history once more.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import AsyncExitStack
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cortex.cli.places import bus_url
from cortex.cli.session import Session
from infrastructure.history.blobs import ASKED_AT_ONCE, Blobs
from infrastructure.history.client import HistoryClient
from infrastructure.history.query_text import query_text
from nervous_system.config import BusConfig
from nervous_system.errors import ContentMissingError

if TYPE_CHECKING:
    from nervous_system.comms.objects import BusContentStore

STILL_SECONDS = 3.0
"""Without a content moving from the bus into history, nothing is moving them."""
POLL_SECONDS = 0.1
BUS_FETCHES = 4
"""Contents that come from the bus at once."""
MAX_HELD_BYTES = 64 * 1024 * 1024
"""Of contents from the bus that are held until they are asked for."""


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
        self._bus: BusContentStore | None = None
        self._opening = asyncio.Lock()
        self._fetching = asyncio.Semaphore(BUS_FETCHES)
        self._fetched: dict[str, bytes] = {}
        """Of the bus: sizes are asked for before contents are, and only the content tells."""

    async def sizes(self, digests: Collection[str]) -> dict[str, int]:
        """Return the size of those of `digests` that are kept whole."""
        wanted = set(digests)
        found = await self._kept.sizes(wanted)
        rest = sorted(wanted - set(found))
        if rest:
            await self._until_moved(rest)
            found |= await self._kept.sizes(rest)
            rest = [digest for digest in rest if digest not in found]
        lengths = await asyncio.gather(*(self._length_on_bus(digest) for digest in rest))
        return found | {
            digest: length
            for digest, length in zip(rest, lengths, strict=True)
            if length is not None
        }

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

    async def _until_moved(self, digests: Collection[str]) -> None:
        """Return when contents no longer move into history: fetching them would be a race."""
        waiting = await self._on_bus(digests)
        deadline = time.monotonic() + STILL_SECONDS
        while waiting and time.monotonic() < deadline:
            await asyncio.sleep(POLL_SECONDS)
            left = waiting - set(await self._kept.sizes(waiting))
            if len(left) < len(waiting):
                deadline = time.monotonic() + STILL_SECONDS
            waiting = left

    async def _on_bus(self, digests: Collection[str]) -> set[str]:
        store = await self._open_bus()
        return {digest async for digest in store.digests()} & set(digests)

    async def _length_on_bus(self, digest: str) -> int | None:
        try:
            return len(await self._get_from_bus(digest))
        except ContentMissingError:
            return None

    async def _get_from_bus(self, digest: str) -> bytes:
        if digest in self._fetched:
            return self._fetched[digest]
        store = await self._open_bus()
        async with self._fetching:
            content = await store.get(digest)
        held = sum(map(len, self._fetched.values()))
        if held + len(content) <= MAX_HELD_BYTES:
            self._fetched[digest] = content
        return content

    async def _open_bus(self) -> "BusContentStore":
        from nervous_system.comms.open import open_bus  # takes a while, and most are in history

        async with self._opening:
            if self._bus is None:
                config = BusConfig(url=bus_url(self._session), name="swarm-contents")
                self._bus = (await self._stack.enter_async_context(open_bus(config))).content
            return self._bus


def _parts(digests: Collection[str]) -> Iterator[list[str]]:
    wanted = sorted(set(digests))
    for start in range(0, len(wanted), ASKED_AT_ONCE):
        yield wanted[start : start + ASKED_AT_ONCE]


def _fits(digest: str, content: bytes) -> bool:
    return sha256(content).hexdigest() == digest
