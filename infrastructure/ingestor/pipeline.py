"""One session of one stream: from where history stands until something fails or the service stops.

Two coroutines share the open batch. `_fill` reads, decodes, hashes and encodes; `_drain` closes the
batch when it is due and sends it off, while the next one is being filled.
"""

import asyncio
import time
from collections.abc import Callable, Container, Sequence
from typing import Any

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
from infrastructure.ingestor.underway import Appended, BatchesUnderWay
from nervous_system.comms.pausing import wait_for_either


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
        self._under_way = BatchesUnderWay(appender, on_appended)
        self._tracker = EmitterTracker()
        self._envelopes = Envelopes()
        self._batch = Batch(start, identity)
        self._is_cut = False
        self._is_filling = False
        self._opened_at = 0.0
        self._closed_at = -1.0
        self._changed = asyncio.Event()
        self._room = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many messages have been read and are not in history yet."""
        return self._feed.buffered + self._batch.row_count + self._under_way.rows

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
            await self._under_way.abandon()

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
        under_way = self._under_way
        while True:
            under_way.collect()
            if stop.is_set():
                # What was read and not encoded yet is still in the stream.
                await under_way.finish()
                if self._batch.row_count:
                    self._send()
                    await under_way.finish()
                return
            state = self._state()
            due, now = due_at(self._limits, state), time.monotonic()
            takes = under_way.takes(is_full=is_full(self._limits, state))
            if takes and due is not None and due <= now:
                self._send()
                continue
            self._changed.clear()
            timeout = due - now if takes and due is not None else None
            await wait_for_either(self._changed, under_way.ended, stop, timeout=timeout)

    def _send(self) -> None:
        """Close the open batch and send it off; another one is filled meanwhile."""
        batch = self._batch
        head = batch.close()
        body = b"".join(batch.parts)
        batch.parts.clear()
        self._batch, self._is_cut = Batch(head, self._identity), False
        position = self._feed.position()
        self._closed_at = time.monotonic()
        self._room.set()
        self._under_way.send(batch, body, head, position.stored_ns if position else 0)
