"""Content under its SHA-256 in history, and its way there from the bus.

Content is stored once; storing it twice at the same moment is harmless, for readers take each chunk
once. A content counts as present when all its chunks are.
"""

import asyncio
import logging
import struct
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Protocol

from infrastructure.errors import HistoryError
from infrastructure.history.client import HistoryClient
from infrastructure.history.query_text import query_text
from nervous_system.changes import digest_of
from nervous_system.comms import pausing
from nervous_system.errors import BusError, ContentMissingError
from nervous_system.varint import varint

CHUNK_BYTES = 1 << 20
GROUP_CHUNKS = 16
"""Chunks of one insert or one read: bounds the memory that a large content takes."""
ASKED_AT_ONCE = 500
"""Digests of one look-up."""
MOVED_AT_ONCE = 128
"""Contents that are moved together: one insert, one reading back."""
FETCHED_AT_ONCE = 4
"""Contents of any size that are in memory at the same time."""
GROUP_BYTES = GROUP_CHUNKS * CHUNK_BYTES
"""Of small contents in one insert."""
_SIZES = struct.Struct("<IQ")
_log = logging.getLogger(__name__)


class RemovableContent(Protocol):
    """What `drain_content` needs of the content on the bus."""

    def digests(self) -> AsyncIterator[str]:
        """Yield the digests of all content there."""
        ...

    async def get(self, digest: str) -> bytes:
        """Return the content."""
        ...

    async def remove(self, digest: str) -> None:
        """Remove it."""
        ...


class Blobs:
    """Content in history; calls block."""

    def __init__(self, client: HistoryClient) -> None:
        self._client = client

    def put(self, content: bytes) -> str:
        """Store `content` once and return its digest.

        Raises:
            InsertRejectedError: the engine refused it.
            HistoryUnavailableError: history cannot be reached.
        """
        digest = sha256(content).hexdigest()
        if not self.known([digest]):
            for first in range(0, max(1, _chunk_count(len(content))), GROUP_CHUNKS):
                self._insert(b"".join(_rows(digest, content, first)))
        return digest

    def put_small(self, contents: Iterable[bytes]) -> None:
        """Store contents of at most one chunk each, many in one insert; the caller knows them new.

        Raises:
            InsertRejectedError: the engine refused them.
            HistoryUnavailableError: history cannot be reached.
        """
        body = bytearray()
        for content in contents:
            if len(content) > CHUNK_BYTES:
                raise ValueError(f"{len(content)} bytes are more than one chunk")
            for piece in _rows(sha256(content).hexdigest(), content, 0):
                body += piece
            if len(body) >= GROUP_BYTES:
                self._insert(bytes(body))
                body.clear()
        if body:
            self._insert(bytes(body))

    def replace(self, content: bytes) -> None:
        """Store `content` in the place of what is stored under its digest.

        Raises:
            QueryFailedError: what is there cannot be removed.
            InsertRejectedError: the engine refused it.
            HistoryUnavailableError: history cannot be reached.
        """
        digest = sha256(content).hexdigest()
        self._client.command(query_text("drop_blob"), {"digest": digest})
        self.put(content)

    def exists(self, digest: str) -> bool:
        """Return whether the whole content is stored."""
        return digest in self.known([digest])

    def known(self, digests: Collection[str]) -> set[str]:
        """Return those of `digests` whose whole content is stored."""
        wanted = list(digests)
        found: set[str] = set()
        for start in range(0, len(wanted), ASKED_AT_ONCE):
            rows = self._client.query(
                query_text("blob_known"), {"digests": wanted[start : start + ASKED_AT_ONCE]}
            )
            found |= {str(row["digest"]) for row in rows}
        return found

    def get(self, digest: str) -> bytes:
        """Return the content.

        Raises:
            ContentMissingError: it is not stored, not whole, or damaged.
        """
        content = b"".join(self.pieces(digest))
        if sha256(content).hexdigest() != digest:
            raise ContentMissingError(digest=digest)
        return content

    def pieces(self, digest: str) -> Iterator[bytes]:
        """Yield the content in order; the caller checks the digest of the whole.

        Raises:
            ContentMissingError: a chunk is missing.
        """
        first = 0
        total = 1
        while first < total:
            rows = self._client.query(
                query_text("blob_chunks"),
                {"digest": digest, "first": first, "end": first + GROUP_CHUNKS},
                bytes_columns=["content"],
            )
            if not rows:
                raise ContentMissingError(digest=digest)
            total = max(1, _chunk_count(int(rows[0]["size_bytes"])))
            expected = range(first, min(first + GROUP_CHUNKS, total))
            if [int(row["chunk"]) for row in rows] != list(expected):
                raise ContentMissingError(digest=digest)
            for row in rows:
                yield bytes(row["content"])
            first += GROUP_CHUNKS

    def verified(self, digests: Collection[str]) -> set[str]:
        """Return those of `digests` under which content of that digest is stored; read back whole.

        At most `MOVED_AT_ONCE` of them.
        """
        rows = self._client.query(
            query_text("blob_small"),
            {"digests": list(digests), "most": CHUNK_BYTES},
            bytes_columns=["content"],
        )
        found = {str(row["digest"]): bytes(row["content"]) for row in rows}
        small = {digest for digest, content in found.items() if digest_of(content) == digest}
        rest = [digest for digest in digests if digest not in small]
        return small | {digest for digest in rest if self.verify(digest)}

    def _insert(self, body: bytes) -> None:
        self._client.insert_raw("swarm.blobs", body, input_format="RowBinary")

    def verify(self, digest: str) -> bool:
        """Return whether what is stored under `digest` has that digest."""
        machine = sha256()
        try:
            for piece in self.pieces(digest):
                machine.update(piece)
        except ContentMissingError:
            return False
        return machine.hexdigest() == digest


async def drain_content(
    content: RemovableContent,
    client: HistoryClient,
    stop: asyncio.Event,
    pause: timedelta = timedelta(seconds=1),
) -> None:
    """Move content from the bus into history until asked to stop.

    The copy on the bus is removed only after history was read back whole. What fails is logged and
    tried again after the pause.
    """
    blobs = Blobs(client)
    while not stop.is_set():
        try:
            await move_content(content, blobs)
        except (BusError, HistoryError) as error:
            _log.warning(
                "content stays on the bus for now",
                extra={"action": "content_move_failed", "reason": str(error)},
            )
        await pausing.pause(stop, pause.total_seconds())


async def move_content(content: RemovableContent, blobs: Blobs) -> int:
    """Move what lies on the bus now; return how many contents were moved.

    Raises:
        BusError: the bus is away.
        HistoryError: history is away or refused a content.
    """
    moved = 0
    group: list[str] = []
    async for digest in content.digests():
        group.append(digest)
        if len(group) == MOVED_AT_ONCE:
            moved += await _move_group(content, blobs, group)
            group = []
    if group:
        moved += await _move_group(content, blobs, group)
    return moved


async def _move_group(content: RemovableContent, blobs: Blobs, digests: Sequence[str]) -> int:
    known = await asyncio.to_thread(blobs.known, digests)
    small: list[bytes] = []
    for some in _slices([digest for digest in digests if digest not in known], FETCHED_AT_ONCE):
        fetched = await asyncio.gather(*(_fetch(content, digest) for digest in some))
        small += await asyncio.to_thread(
            _put_large, blobs, [one for one in fetched if one is not None]
        )
        if sum(map(len, small)) >= GROUP_BYTES:
            await asyncio.to_thread(blobs.put_small, small)
            small = []
    await asyncio.to_thread(blobs.put_small, small)
    whole = await asyncio.to_thread(blobs.verified, digests)
    for digest in known - whole:
        whole |= await _replace(content, blobs, digest)
    for some in _slices(sorted(whole), FETCHED_AT_ONCE):
        await asyncio.gather(*(content.remove(digest) for digest in some))
    return len(whole)


async def _fetch(content: RemovableContent, digest: str) -> bytes | None:
    try:
        return await content.get(digest)
    except ContentMissingError as error:
        _log.warning(
            "content on the bus is damaged or gone",
            extra={"action": "content_damaged", "reason": str(error)},
        )
        return None


def _put_large(blobs: Blobs, contents: Iterable[bytes]) -> list[bytes]:
    """Store those of more than one chunk and return the others."""
    small = []
    for content in contents:
        if len(content) > CHUNK_BYTES:
            blobs.put(content)
        else:
            small.append(content)
    return small


async def _replace(content: RemovableContent, blobs: Blobs, digest: str) -> set[str]:
    """Give history what it holds damaged; return the digest where it is whole then."""
    fetched = await _fetch(content, digest)
    if fetched is None:
        return set()
    await asyncio.to_thread(blobs.replace, fetched)
    _log.warning(
        "damaged content in history replaced by the copy on the bus",
        extra={"action": "content_replaced", "digest": digest},
    )
    return await asyncio.to_thread(blobs.verified, [digest])


def _slices(digests: Sequence[str], count: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(digests), count):
        yield digests[start : start + count]


def _chunk_count(size: int) -> int:
    return -(-size // CHUNK_BYTES)


def _rows(digest: str, content: bytes, first: int) -> Iterator[bytes]:
    """Yield the rows of one group of chunks as RowBinary."""
    name = _text(digest.encode())
    end = min(first + GROUP_CHUNKS, max(1, _chunk_count(len(content))))
    for chunk in range(first, end):
        piece = content[chunk * CHUNK_BYTES : (chunk + 1) * CHUNK_BYTES]
        yield name + _SIZES.pack(chunk, len(content))
        yield varint(len(piece))
        yield piece


def _text(raw: bytes) -> bytes:
    return varint(len(raw)) + raw
