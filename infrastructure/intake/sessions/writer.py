"""Writes one source of one session: what is not stored yet, each event once.

A writer is fed all units of the source from the first on. Those that the cursor covers are only
read, so that what depends on them is known; the others are stored, many together. Whoever else
writes the same source at the same time is noticed by the cursor: what they have stored meanwhile is
left out here.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

from infrastructure.intake.sessions.cursor import EMPTY_CHAIN, Cursor, link
from infrastructure.intake.sessions.errors import DivergedError, RewrittenError
from infrastructure.intake.sessions.mapping import LATE_AT_ONCE, Mapper, Planned
from infrastructure.intake.sessions.store import Batch, SessionStore
from infrastructure.intake.sessions.units import Unit
from nervous_system.comms.conditional import DUPLICATE_IN_BATCH
from nervous_system.comms.contracts import Outgoing
from nervous_system.errors import PublishRejectedError, WrongSequenceError

MAX_WAITING_BATCHES: Final = 3
"""So many may wait while one is under way; then reading stops."""
MAX_BATCH_EVENTS: Final = 999
"""What the server takes in one batch, beside the cursor."""
BATCH_EVENTS: Final = 900
BATCH_BYTES: Final = 3 * 1024 * 1024
KEEP_SECONDS: Final = 60.0
"""How often a cursor is kept beyond the time of the stream while there is something to store."""
SETTLEMENT: Final = -1
"""Unit of events that are due where a source ends for now."""


@dataclass(slots=True)
class _Waiting:
    """An event on its way."""

    unit: int
    ordinal: int
    """Which event of its unit, from 0."""
    outgoing: Outgoing


@dataclass(slots=True)
class Progress:
    """What was done, for whoever waits."""

    stored_events: int = 0
    stored_lines: int = 0


class SessionWriter:
    """Stores one source of a session; made by `open_writer`."""

    def __init__(
        self,
        mapper: Mapper,
        store: SessionStore,
        cursor: Cursor,
        *,
        known: set[str] | None,
        facts: Callable[[], Mapping[str, Any]],
    ) -> None:
        self.mapper = mapper
        self.identity = mapper.identity
        self.progress = Progress()
        self._store = store
        self._cursor = cursor
        self._known = known
        self._facts = facts
        self._units = 0
        self._lines = 0
        self._end_bytes = 0
        self._chain = EMPTY_CHAIN
        self._chains: dict[int, bytes] = {0: EMPTY_CHAIN}
        """Of the units that wait, and of the one before them."""
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._contents: dict[bytes, bytes] = {}
        self._redactions: dict[str, int] = {}
        self._is_joined = False
        self._last_batch: Batch | None = None
        self._kept_at = time.monotonic()
        self._flight: asyncio.Task[None] | None = None

    async def add(self, unit: Unit) -> None:
        """Read the next unit, and store it if that has not been done.

        Raises:
            RewrittenError: what is stored is something else.
            DivergedError: somebody else has stored what cannot be continued from here.
            BusError: it cannot be stored now.
        """
        self._join()
        planned = self.mapper.plan(unit)
        index = self._units
        self._count(unit)
        if self._units <= self._cursor.units:
            self._forget_chains()
            self._join()
            return
        first = self._cursor.within if index == self._cursor.units else 0
        self._enqueue(planned, index, first)
        if self._is_full():
            await self._store_meanwhile()

    async def settle(
        self, late_objects: Iterable[Mapping[str, Any]] = (), *, is_quiet: bool = True
    ) -> None:
        """Store what is due where the source ends for now.

        Raises:
            RewrittenError: more of the source is stored than there is.
            DivergedError: as for `add`.
            BusError: it cannot be stored now.
        """
        self._join()
        if self._units < self._cursor.units or (
            self._units == self._cursor.units and self._cursor.within
        ):
            raise RewrittenError
        while True:
            planned = self.mapper.settle(late_objects, is_quiet=is_quiet)
            self._enqueue(planned, SETTLEMENT, 0)
            await self.flush()
            late_objects = ()
            if len(planned) < LATE_AT_ONCE:
                break
        if is_quiet and (self._cursor.units != self._units or not self._cursor.sequence):
            await self._append(
                Batch([], self._present_cursor(), self._document(), self.mapper.span_ns[1])
            )

    async def flush(self) -> None:
        """Store what waits.

        Raises:
            DivergedError: as for `add`.
            BusError: it cannot be stored now.
        """
        await self._landed()
        while self._waiting:
            await self._store_next()

    async def abandon(self) -> None:
        """Let go of what is under way; whoever reads the source next finds out what is stored."""
        flight, self._flight = self._flight, None
        if flight is not None:
            flight.cancel()
            await asyncio.gather(flight, return_exceptions=True)

    async def keep_cursor(self) -> None:
        """Keep the cursor beyond the time that the stream of events keeps it."""
        self._kept_at = time.monotonic()
        batch = self._last_batch
        if batch is None and self._cursor.sequence and self._units == self._cursor.units:
            batch = self._batch([], self._cursor)  # of another mirror, which may not have kept it
        if batch is not None:
            await self._store.keep_cursor(self.identity, batch)

    async def keep_cursor_at_times(self) -> None:
        """Keep the cursor if that has not been done for a minute."""
        if time.monotonic() - self._kept_at >= KEEP_SECONDS:
            await self.keep_cursor()

    @property
    def redactions(self) -> Mapping[str, int]:
        """What was taken out of the lines that were read, by kind."""
        return dict(self._redactions)

    def counts(self) -> dict[str, int]:
        """Return what was read so far, by the names that sessions are counted by."""
        totals = self.mapper.reader.totals()
        return {**totals, "lines": self._lines, "bytes": self._end_bytes}

    # --- reading

    def _join(self) -> None:
        """Take over from the cursor, once its last unit is read."""
        if self._is_joined or self._units < self._cursor.units:
            return
        if self._chain != self._cursor.chain and self._units == self._cursor.units:
            raise RewrittenError
        self.mapper.resume(self._cursor.settled)
        self._is_joined = True

    def _count(self, unit: Unit) -> None:
        self._units += 1
        self._chain = link(self._chain, unit.digest)
        self._chains[self._units] = self._chain
        if unit.is_line:
            self._lines += 1
            end = unit.offset + len(unit.content) + unit.left_out_bytes + unit.is_terminated
            self._end_bytes = max(self._end_bytes, end)
            for kind, count in unit.redactions.items():
                self._redactions[kind] = self._redactions.get(kind, 0) + count

    def _forget_chains(self) -> None:
        self._chains = {self._units: self._chain}

    def _enqueue(self, planned: Iterable[Planned], index: int, first: int) -> None:
        for ordinal, one in enumerate(planned):
            if ordinal < first or (self._known is not None and one.event_id in self._known):
                continue
            outgoing = self._store.outgoing(self.identity, one)
            self._waiting.append(_Waiting(index, ordinal, outgoing))
            self._waiting_bytes += len(outgoing.payload)
            for content in one.contents:
                self._contents[sha256(content).digest()] = content

    # --- storing

    def _is_full(self, times: int = 1) -> bool:
        """Whether what waits makes so many batches."""
        is_many = len(self._waiting) >= BATCH_EVENTS * times
        return is_many or self._waiting_bytes >= BATCH_BYTES * times

    async def _store_meanwhile(self) -> None:
        """Store full batches while the next units are read, one batch at a time."""
        if self._flight is not None and (self._flight.done() or self._is_full(MAX_WAITING_BATCHES)):
            await self._landed()
        if self._flight is None:
            self._flight = asyncio.create_task(self._store_full())

    async def _landed(self) -> None:
        """Return when nothing is under way; raises what went wrong there."""
        flight, self._flight = self._flight, None
        if flight is not None:
            await flight

    async def _store_full(self) -> None:
        while self._is_full():
            await self._store_next()

    async def _store_next(self) -> None:
        batch = self._next_batch()
        contents, self._contents = self._contents, {}
        await self._store.keep_contents(contents)
        await self._append(batch)
        await self.keep_cursor_at_times()

    def _next_batch(self) -> Batch:
        """Return what is stored next; the last part of what waits makes the cursor complete."""
        units = [one for one in self._waiting if one.unit != SETTLEMENT]
        settling = len(self._waiting) - len(units)
        count = _fitting(units)
        # All of a settlement is one batch: no cursor says which part of it is stored.
        if count == len(units) and count + settling <= MAX_BATCH_EVENTS:
            count += settling
        elif not units:
            count = settling
        taken = [self._waiting[number].outgoing for number in range(count)]
        is_all = count == len(self._waiting)
        cursor = self._present_cursor() if is_all else self._cursor_after(count)
        return self._batch(taken, cursor)

    def _batch(self, taken: list[Outgoing], cursor: Cursor) -> Batch:
        return Batch(taken, cursor, self._document(), self.mapper.span_ns[1])

    def _present_cursor(self) -> Cursor:
        return replace(
            self._cursor,
            units=self._units,
            within=0,
            chain=self._chain,
            settled=self.mapper.settled,
        )

    def _cursor_after(self, count: int) -> Cursor:
        last, following = self._waiting[count - 1], self._waiting[count]
        if following.unit == SETTLEMENT:
            return replace(self._cursor, units=self._units, within=0, chain=self._chain)
        if last.unit == following.unit:
            units, within = last.unit, last.ordinal + 1
        else:
            units, within = following.unit, 0
        return replace(self._cursor, units=units, within=within, chain=self._chains[units])

    async def _append(self, batch: Batch) -> None:
        try:
            sequence = await self._store.append(self.identity, batch)
        except WrongSequenceError:
            await self._rebase()
            return
        except PublishRejectedError as error:
            if error.code != DUPLICATE_IN_BATCH:
                raise
            raise RewrittenError from error  # stored, but the cursor does not say so
        self._cursor = replace(batch.cursor, sequence=sequence)
        self._last_batch = replace(batch, cursor=self._cursor)
        self.progress.stored_events += len(batch.events)
        for _ in batch.events:
            one = self._waiting.popleft()
            self._waiting_bytes -= len(one.outgoing.payload)
            self.progress.stored_lines += ".session_line." in one.outgoing.subject
            if self._known is not None:
                self._known.add(one.outgoing.event_id)
        if not self._waiting:
            self._forget_chains()

    async def _rebase(self) -> None:
        """Leave out what somebody else has stored meanwhile."""
        found = await self._store.cursor(self.identity)
        if (
            found.generation != self._cursor.generation
            or found.settled != self._cursor.settled
            or found.units not in self._chains
            or found.chain != self._chains[found.units]
        ):
            raise DivergedError
        self._cursor = found
        while self._waiting and self._is_stored(self._waiting[0]):
            one = self._waiting.popleft()
            self._waiting_bytes -= len(one.outgoing.payload)

    def _is_stored(self, waiting: _Waiting) -> bool:
        if waiting.unit == SETTLEMENT:
            return False
        return (waiting.unit, waiting.ordinal) < (self._cursor.units, self._cursor.within)

    def _document(self) -> dict[str, Any]:
        reader = self.mapper.reader
        first_ns, last_ns = self.mapper.span_ns
        return {
            **self._facts(),
            "harness": self.identity.harness,
            "session_id": self.identity.session_id,
            "facts": dict(reader.facts),
            "first_ns": first_ns,
            "last_ns": last_ns,
            "counts": self.counts(),
            "redactions": dict(self._redactions),
            "drift": dict(reader.drift),
        }


def _fitting(waiting: Iterable[_Waiting]) -> int:
    """Return how many of what waits make a batch; one at least, if there is one."""
    count = size = 0
    for one in waiting:
        size += len(one.outgoing.payload)
        if count and (count == BATCH_EVENTS or size > BATCH_BYTES):
            break
        count += 1
    return count


async def open_writer(
    mapper: Mapper,
    store: SessionStore,
    *,
    is_rewritten: bool = False,
    facts: Callable[[], Mapping[str, Any]] = dict,
) -> SessionWriter:
    """Return a writer that goes on where the stream says.

    Args:
        mapper: Of the source, fresh.
        store: Where it is stored.
        is_rewritten: The source is no continuation of what is stored: what is stored all the same
            is left out event by event.
        facts: What else cursors say of the source.

    Raises:
        BusUnavailableError: the bus is away.
    """
    cursor = await store.cursor(mapper.identity)
    if is_rewritten:
        cursor = replace(
            cursor, units=0, within=0, chain=EMPTY_CHAIN, generation=cursor.generation + 1
        )
    known = await store.known_ids(mapper.identity) if cursor.generation else None
    return SessionWriter(mapper, store, cursor, known=known, facts=facts)
