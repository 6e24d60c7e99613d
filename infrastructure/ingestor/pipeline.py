"""One session of one stream: from where history stands until something fails or the service stops.

Two coroutines share the open batch. `_fill` reads, decodes, hashes and encodes; `_drain` closes the
batch when it is due and inserts it in a thread, while the next one is being filled. Inserts of one
stream cannot overlap: each carries the sequence that the one before ended with.
"""

import asyncio
import time
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any

from infrastructure.errors import InsertRejectedError
from infrastructure.history.refusals import blames_rows
from infrastructure.ingestor.appending import Appender
from infrastructure.ingestor.batching import (
    BatchLimits,
    BatchState,
    due_at,
    is_full,
    next_edge,
    pieces,
)
from infrastructure.ingestor.decoding import decode
from infrastructure.ingestor.emitters import EmitterTracker, Numbered, with_short_names
from infrastructure.ingestor.encoding import Batch, Envelopes
from infrastructure.ingestor.feed import Feed
from infrastructure.ingestor.ledger import Head
from infrastructure.ingestor.protocol import RawBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """A batch that is in history."""

    rows: int
    undecodable: int
    repeated: int
    head: Head
    stored_ns: int
    """When the stream stored about the last of them, nanoseconds since 1970."""
    seconds: float
    """How long the insert took, read back included."""


class RefusedRowsError(Exception):
    """ClickHouse cannot decode some events; the next session stores them as undecodable."""

    def __init__(self, sequences: list[int]) -> None:
        self.sequences = sequences
        super().__init__(f"{len(sequences)} events refused")


class Pipeline:
    """Moves messages from a feed into history until it fails or `stop` is set."""

    def __init__(
        self,
        feed: Feed,
        appender: Appender,
        start: Head,
        identity: str,
        *,
        limits: BatchLimits,
        refused: Container[int],
        on_appended: Callable[[Appended], None],
    ) -> None:
        self._feed = feed
        self._appender = appender
        self._limits = limits
        self._identity = identity
        self._refused = refused
        self._on_appended = on_appended
        self._tracker = EmitterTracker()
        self._envelopes = Envelopes()
        self._batch = Batch(start, identity)
        self._is_cut = False
        self._is_filling = False
        self._opened_at = 0.0
        self._closed_at = -1.0
        self._inserting_rows = 0
        self._changed = asyncio.Event()
        self._room = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many messages have been read and are not in history yet."""
        return self._feed.buffered + self._batch.row_count + self._inserting_rows

    async def run(self, stop: asyncio.Event) -> None:
        """Run; returns once `stop` is set and what was read is in history.

        Raises:
            HistoryError: an insert failed; its outcome may be unknown.
            RefusedRowsError: ClickHouse cannot decode some events.
            StreamChangedError: the stream was replaced by another of the same name.
        """
        filling = asyncio.create_task(self._fill())
        draining = asyncio.create_task(self._drain(stop))
        tasks: set[asyncio.Task[Any]] = {filling, draining}
        try:
            await asyncio.wait({filling, draining}, return_when=asyncio.FIRST_COMPLETED)
            for task in (draining, filling):
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _fill(self) -> None:
        while True:
            messages = await self._feed.take()
            self._is_filling = True
            for piece in pieces(messages):
                await self._room_for(piece)
                await self._add(piece)
                self._changed.set()
                # Reading, health and the end of an insert get their turn between two pieces.
                await asyncio.sleep(0)
            self._is_filling = False
            self._changed.set()

    async def _room_for(self, piece: RawBatch) -> None:
        """Wait until the open batch takes the piece."""
        while True:
            batch = self._batch
            if batch.row_count and next_edge(batch.last_sequence) <= piece.sequences[0]:
                self._is_cut = True
            if not is_full(self._limits, self._state()):
                return
            self._room.clear()
            self._changed.set()
            await self._room.wait()

    async def _add(self, piece: RawBatch) -> None:
        if self._refused:
            refused = {at for at, seq in enumerate(piece.sequences) if seq in self._refused}
            decoded = decode(piece.payloads, refused)
        else:
            decoded = decode(piece.payloads)
        numbered: Sequence[Numbered] = decoded.numbered
        if missing := self._tracker.missing(numbered):
            # Emitters with long names are remembered by a short one, so they are always amiss here.
            numbered = with_short_names(numbered, missing)
            missing = self._tracker.missing(numbered)
            self._tracker.learn(missing, await self._appender.intervals(missing))
        repeated = self._tracker.mark(numbered)
        # No await from here to the end: the batch must not be closed in between.
        if not self._batch.row_count:
            self._opened_at = time.monotonic()
        self._batch.add(
            piece.sequences, piece.subjects, piece.payloads, decoded, repeated, self._envelopes
        )

    def _state(self) -> BatchState:
        position = self._feed.position()
        return BatchState(
            rows=self._batch.row_count,
            size_bytes=self._batch.size_bytes,
            is_cut=self._is_cut,
            opened_at=self._opened_at,
            closed_at=self._closed_at,
            is_drained=not self._is_filling
            and not self._feed.buffered
            and (position is None or not position.pending),
        )

    async def _drain(self, stop: asyncio.Event) -> None:
        while True:
            if stop.is_set():
                # What was read and not encoded yet is still in the stream.
                if self._batch.row_count:
                    await self._append()
                return
            due = due_at(self._limits, self._state())
            now = time.monotonic()
            if due is not None and due <= now:
                await self._append()
                continue
            self._changed.clear()
            timeout = None if due is None else due - now
            await _first(self._changed, stop, timeout)

    async def _append(self) -> None:
        """Close the open batch and insert it; another one is filled meanwhile."""
        batch = self._batch
        head = batch.close()
        body = b"".join(batch.parts)
        batch.parts.clear()
        self._batch, self._is_cut = Batch(head, self._identity), False
        position = self._feed.position()
        self._inserting_rows = batch.row_count
        self._closed_at = began_at = time.monotonic()
        self._room.set()
        try:
            await self._appender.append(batch, body)
        except InsertRejectedError as error:
            if blames_rows(error) and (positions := await self._appender.find_refused(body)):
                raise RefusedRowsError([batch.sequences[at] for at in positions]) from None
            raise
        finally:
            self._inserting_rows = 0
        self._on_appended(
            Appended(
                rows=batch.row_count,
                undecodable=batch.undecodable,
                repeated=batch.repeated,
                head=head,
                stored_ns=position.stored_ns if position else 0,
                seconds=time.monotonic() - began_at,
            )
        )


async def _first(changed: asyncio.Event, stop: asyncio.Event, timeout: float | None) -> None:
    """Wait for one of two events or the time, whichever is first."""
    waits = {asyncio.ensure_future(changed.wait()), asyncio.ensure_future(stop.wait())}
    try:
        await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waits:
            one.cancel()
