"""Content of any size under the hex SHA-256 of its bytes, on the bus until history has it.

What is larger than a message may be travels here in chunks. Whoever has copied content into
history removes it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from hashlib import sha256
from typing import Any, TypeVar

import nats.js.errors
from nats.js import JetStreamContext
from nats.js.object_store import ObjectStore

from nervous_system.comms.connection import translated
from nervous_system.comms.running import end_task
from nervous_system.comms.streams import CONTENT_BUCKET
from nervous_system.errors import BusUnavailableError, ContentMissingError

LOOK_SECONDS = 1.0
"""How often a fetch that takes long looks whether its content is still there."""
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
            found = await self._unless_removed(digest, store.get(digest))
        except (nats.js.errors.NotFoundError, nats.js.errors.DigestMismatchError) as error:
            raise ContentMissingError(digest=digest) from error
        content = bytes(found.data or b"")
        if await asyncio.to_thread(_digest, content) != digest:
            raise ContentMissingError(digest=digest)
        return content

    async def _unless_removed(self, digest: str, getting: Coroutine[Any, Any, T]) -> T:
        """Return what `getting` does, unless the content is removed meanwhile.

        Whoever copies content into history may remove it while it is fetched; nats-py would wait
        for the rest for ever.
        """
        task = asyncio.create_task(getting)
        try:
            while not (await asyncio.wait({task}, timeout=LOOK_SECONDS))[0]:
                if not await self.has(digest):
                    raise ContentMissingError(digest=digest)
            with translated("content get", self._servers):
                return task.result()
        finally:
            await end_task(task)

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
