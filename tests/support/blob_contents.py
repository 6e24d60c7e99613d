"""Contents of history alone, as a `ContentSource`."""

import asyncio
from collections.abc import AsyncIterator, Collection

from infrastructure.history.blobs import Blobs
from infrastructure.history.client import HistoryClient
from nervous_system.errors import ContentMissingError


class BlobContents:
    """Reads `swarm.blobs`."""

    def __init__(self, client: HistoryClient) -> None:
        self._blobs = Blobs(client)

    async def sizes(self, digests: Collection[str]) -> dict[str, int]:
        return {digest: len(content) for digest, content in (await self.get_small(digests)).items()}

    async def get(self, digest: str) -> bytes:
        return await asyncio.to_thread(self._blobs.get, digest)

    async def get_small(self, digests: Collection[str]) -> dict[str, bytes]:
        found = {}
        for digest in digests:
            try:
                found[digest] = await self.get(digest)
            except ContentMissingError:
                continue
        return found

    async def pieces(self, digest: str) -> AsyncIterator[bytes]:
        yield await self.get(digest)
