"""Content of any size under the hex SHA-256 of its bytes, on the bus until history has it.

What is larger than a message may be travels here in chunks. Whoever has copied content into
history removes it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from hashlib import sha256
from typing import TypeVar

import nats.js.errors
from nats.js import JetStreamContext
from nats.js.api import ObjectInfo
from nats.js.object_store import ObjectStore

from nervous_system.comms.connection import translated
from nervous_system.comms.streams import CONTENT_BUCKET
from nervous_system.errors import BusUnavailableError, ContentMissingError

T = TypeVar("T")


class BusContentStore:
    """Implements `ContentStore` on the object store of the bus."""

    def __init__(
        self, jetstream: JetStreamContext, *, servers: str, bucket: str = CONTENT_BUCKET
    ) -> None:
        self._jetstream = jetstream
        self._servers = servers
        self._bucket = bucket
        self._store: ObjectStore | None = None

    async def put(self, content: bytes) -> str:
        """Store `content` once and return its digest.

        Raises:
            BusUnavailableError: the bus is away, or the bucket does not exist or is full.
        """
        digest = await asyncio.to_thread(_digest, content)
        store = await self._open()
        if not await self.has(digest):
            await self._call("content put", lambda: store.put(digest, content))
        return digest

    async def has(self, digest: str) -> bool:
        """Return whether content lies under `digest`.

        Raises:
            BusUnavailableError: the bus is away.
        """
        store = await self._open()
        try:
            await self._call("content info", lambda: store.get_info(digest))
        except nats.js.errors.NotFoundError:
            return False
        return True

    async def get(self, digest: str) -> bytes:
        """Return the content.

        Raises:
            ContentMissingError: nothing is stored under `digest`, or it is damaged.
            BusUnavailableError: the bus is away.
        """
        store = await self._open()
        try:
            info = await self._call("content info", lambda: store.get_info(digest))
            content = await self._call("content get", lambda: self._read(info))
        except nats.js.errors.NotFoundError as error:
            raise ContentMissingError(digest=digest) from error
        if await asyncio.to_thread(_digest, content) != digest:
            raise ContentMissingError(digest=digest)
        return content

    async def _read(self, info: ObjectInfo) -> bytes:
        """Read the chunks one by one.

        nats-py would make a consumer for each content, which stays for minutes and of which a
        server takes no more than a thousand; and it would wait for ever for what is removed.
        """
        subject = f"$O.{self._bucket}.C.{info.nuid}"
        size, sequence, chunks = 0, 1, []
        while size < (info.size or 0):
            chunk = await self._jetstream.get_msg(
                f"OBJ_{self._bucket}", seq=sequence, subject=subject, next=True
            )
            data = chunk.data or b""
            chunks.append(data)
            size, sequence = size + len(data), (chunk.seq or 0) + 1
        return b"".join(chunks)

    async def remove(self, digest: str) -> None:
        """Remove the content, for whoever has made sure that history holds it; none there is fine.

        Raises:
            BusUnavailableError: the bus is away.
        """
        store = await self._open()
        try:
            await self._call("content remove", lambda: store.delete(digest))
        except nats.js.errors.NotFoundError:
            return

    async def digests(self) -> AsyncIterator[str]:
        """Yield the digests of all content on the bus.

        Raises:
            BusUnavailableError: the bus is away.
        """
        store = await self._open()
        try:
            listed = await self._call("content list", store.list)
        except nats.js.errors.NotFoundError:
            return
        for info in listed:
            if not info.deleted:
                yield str(info.name)

    async def _open(self) -> ObjectStore:
        if self._store is None:
            try:
                self._store = await self._call(
                    "content", lambda: self._jetstream.object_store(self._bucket)
                )
            except nats.js.errors.NotFoundError as error:
                raise BusUnavailableError(
                    servers=self._servers, reason=f"no bucket {self._bucket}"
                ) from error
        return self._store

    async def _call(self, operation: str, call: Callable[[], Awaitable[T]]) -> T:
        with translated(operation, self._servers):
            return await call()


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()
