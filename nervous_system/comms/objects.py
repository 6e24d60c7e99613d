"""Content of any size under the hex SHA-256 of its bytes, on the bus until history has it.

What is larger than a message may be travels here in chunks. Whoever has copied content into
history removes it.
"""

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple, TypeVar

import nats.js.errors
from nats.js import JetStreamContext
from nats.js.api import Header, ObjectInfo, ObjectMetaOptions
from nats.js.object_store import ObjectStore

from nervous_system.comms.connection import BusClient, translated
from nervous_system.comms.replies import Stored, parse_reply
from nervous_system.comms.streams import CONTENT_BUCKET
from nervous_system.errors import BusError, BusUnavailableError, ContentMissingError

T = TypeVar("T")
CHUNK_BYTES = 128 * 1024
"""Of a message; what is larger travels in several, and not together with others."""
TOGETHER = 500
"""Contents of one atomic batch, two messages each: a server takes a thousand."""
TOGETHER_BYTES = 8 * 1024 * 1024
ASKED_TOGETHER = 64
ANSWER_SECONDS = 10.0


class BusContentStore:
    """Implements `ContentStore` on the object store of the bus."""

    def __init__(
        self,
        jetstream: JetStreamContext,
        *,
        servers: str,
        bucket: str = CONTENT_BUCKET,
        client: BusClient | None = None,
    ) -> None:
        """Store what it works with; without a client, contents do not go together."""
        self._client = client
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

    async def put_all(self, contents: Sequence[bytes]) -> list[str]:
        """Store contents, each once, and return their digests; many small ones go together.

        Raises:
            BusUnavailableError: as of `put`; some of them may be stored then.
        """
        digests = await asyncio.to_thread(lambda: [_digest(content) for content in contents])
        wanted = dict(zip(digests, contents, strict=True))
        absent = await self._absent(list(wanted))
        small = [(digest, wanted[digest]) for digest in absent if _is_small(wanted[digest])]
        together: set[str] = set()
        for group in _groups(small):
            if self._client is not None and await self._put_together(self._client, group):
                together.update(digest for digest, _ in group)
        for digest in absent:
            if digest not in together:  # a server that refuses says why to those who come alone
                await self.put(wanted[digest])
        return digests

    async def _absent(self, digests: Sequence[str]) -> list[str]:
        found: list[str] = []
        for start in range(0, len(digests), ASKED_TOGETHER):
            some = digests[start : start + ASKED_TOGETHER]
            are_here = await asyncio.gather(*map(self.has, some))
            found += [digest for digest, is_here in zip(some, are_here, strict=True) if not is_here]
        return found

    async def _put_together(self, client: BusClient, contents: Sequence[tuple[str, bytes]]) -> bool:
        """Store small contents in one atomic batch; False: it is not known to be stored."""
        messages = [
            one for digest, content in contents for one in _messages(self._bucket, digest, content)
        ]
        batch = secrets.token_hex(16)
        try:
            with translated("content put", self._servers):
                for place, message in enumerate(messages[:-1], 1):
                    headers = {**message.headers, **_batch_headers(batch, place)}
                    await client.publish(message.subject, message.payload, headers=headers)
                last = messages[-1]
                answer = await client.request(
                    last.subject,
                    last.payload,
                    timeout=ANSWER_SECONDS,
                    headers={
                        **last.headers,
                        **_batch_headers(batch, len(messages)),
                        "Nats-Batch-Commit": "1",
                    },
                )
        except BusError:
            return False
        return isinstance(parse_reply(answer.data, None), Stored)

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


class _Message(NamedTuple):
    subject: str
    payload: bytes
    headers: dict[str, str]


def _messages(bucket: str, digest: str, content: bytes) -> Iterator[_Message]:
    """Yield what the object store holds of one small content: its one chunk, what it is."""
    place = secrets.token_hex(11)
    if content:
        yield _Message(f"$O.{bucket}.C.{place}", content, {})
    info = ObjectInfo(
        name=digest,
        bucket=bucket,
        nuid=place,
        size=len(content),
        chunks=1 if content else 0,
        digest=f"SHA-256={base64.urlsafe_b64encode(bytes.fromhex(digest)).decode()}",
        mtime=datetime.now(UTC).isoformat(),
        options=ObjectMetaOptions(max_chunk_size=CHUNK_BYTES),
    )
    name = base64.urlsafe_b64encode(digest.encode()).decode()
    headers = {str(Header.ROLLUP.value): "sub"}
    yield _Message(f"$O.{bucket}.M.{name}", json.dumps(info.as_dict()).encode(), headers)


def _batch_headers(batch: str, place: int) -> dict[str, str]:
    return {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(place)}


def _is_small(content: bytes) -> bool:
    return len(content) <= CHUNK_BYTES


def _groups(contents: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    """Yield contents that go together: so many, and no more bytes than so."""
    group: list[tuple[str, bytes]] = []
    total = 0
    for digest, content in contents:
        if group and (len(group) == TOGETHER or total + len(content) > TOGETHER_BYTES):
            yield group
            group, total = [], 0
        group.append((digest, content))
        total += len(content)
    if group:
        yield group


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()
