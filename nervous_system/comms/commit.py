"""Group commit: many callers, few round trips, every caller released when its own event is on disk.

What comes in is sent at the end of the same turn of the event loop, so that a lone caller waits for
nothing and callers that were released together leave together. While a group is under way, new
events gather. `dispatch` does the sending and tells the outcomes; here are the callers: their
receipts, their timeouts, room for more, and what takes the place of a refused event.

A caller's timeout ends the waiting, not the sending.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from nervous_system.comms.connection import BusClient
from nervous_system.comms.contracts import Outgoing, Receipt, Wait
from nervous_system.comms.dispatch import Dispatcher
from nervous_system.comms.entry import CommitLimits, Entry, MakeTombstone, StoredLookup
from nervous_system.comms.records import stored_receipt
from nervous_system.comms.replies import Refusal, Stored
from nervous_system.comms.running import create_logged_task, end_task
from nervous_system.comms.turns import Turns
from nervous_system.errors import (
    BusClosedError,
    BusError,
    PublishRejectedError,
    PublishTimeoutError,
)

logger = logging.getLogger(__name__)


class GroupCommitter:
    """Publishes events in groups; implements `Publisher` for `Wait.ACK`.

    Made by `open_committer`. All methods belong to the thread of the event loop.
    """

    def __init__(
        self,
        client: BusClient,
        lookup: StoredLookup,
        *,
        limits: CommitLimits,
        make_tombstone: MakeTombstone | None,
    ) -> None:
        self._lookup = lookup
        self._limits = limits
        self._make_tombstone = make_tombstone
        self._loop = asyncio.get_running_loop()
        self._dispatcher = Dispatcher(client, limits, self)
        self._timed: set[Entry] = set()
        """Entries whose callers wait."""
        self._to_look_up: list[Entry] = []
        self._is_closed = False
        self._room = asyncio.Event()
        self._idle = asyncio.Event()
        self._time_matters = asyncio.Event()
        self._look_up_due = asyncio.Event()
        self.unsettled_count = 0
        """Events that were taken on and have no outcome yet."""
        self.unsettled_bytes = 0
        self._turns = Turns()
        self.tombstone_count = 0
        self.lost_count = 0
        """Refused events for which there was no tombstone, or whose tombstone was refused too."""

    # --- callers

    @property
    def is_connected(self) -> bool:
        """Frames leave at once."""
        return self._dispatcher.is_connected

    @property
    def last_sequence(self) -> int:
        """Highest stream sequence seen in an ack."""
        return self._dispatcher.last_sequence

    @property
    def has_room(self) -> bool:
        """Another event may be taken on without waiting."""
        return (
            self.unsettled_count < self._limits.max_waiting
            and self.unsettled_bytes < self._limits.max_waiting_bytes
        )

    async def submit(self, outgoing: Outgoing, wait: Wait, timeout: float) -> Receipt:
        """Publish one event and wait for its ack.

        Raises:
            PublishTimeoutError: no ack within `timeout` seconds; the event stays on its way.
            PublishRejectedError: the server refused it for good.
            BusClosedError: the bus is closed.
            InvalidEventError: subject or headers cannot be sent.
        """
        if wait is not Wait.ACK:
            raise ValueError(f"{wait} needs a spool: publish through an Outbox")
        entry = Entry(outgoing)
        if self.has_room and not self._turns.is_taken(entry.lane):
            self.enqueue(entry)
        else:
            await self._enqueue_in_turn(entry, timeout)
        return await self.watch(entry, timeout)

    async def _enqueue_in_turn(self, entry: Entry, timeout: float) -> None:
        """Wait until nothing of the lane waits before this event, and there is room for it."""
        await self._turns.take(entry.lane)
        try:
            await self.wait_for_room_within(entry.outgoing, timeout)
            self.enqueue(entry)
        finally:
            self._turns.give(entry.lane)

    def enqueue(self, entry: Entry) -> None:
        """Take an event on, behind all others of its lane; the limits are the caller's business.

        Raises:
            BusClosedError: the bus is closed.
        """
        if self._is_closed:
            raise BusClosedError(operation="publish")
        self.unsettled_count += 1
        self.unsettled_bytes += entry.size_bytes
        self._dispatcher.add(entry)

    def watch(self, entry: Entry, timeout: float) -> "asyncio.Future[Receipt]":
        """Return a future of the entry's receipt.

        It fails with PublishTimeoutError after `timeout` seconds.
        """
        waiter = self._loop.create_future()
        entry.waiter = waiter
        entry.timeout = timeout
        entry.deadline = self._loop.time() + timeout
        self._timed.add(entry)
        if len(self._timed) == 1:
            self._time_matters.set()
        return waiter

    async def wait_for_room(self) -> None:
        """Return when another event may be taken on."""
        while not self.has_room and not self._is_closed:
            self._room.clear()
            await self._room.wait()

    async def wait_until_idle(self) -> None:
        """Return when everything taken on has its outcome."""
        while self.unsettled_count and not self._is_closed:
            self._idle.clear()
            await self._idle.wait()

    async def drain(self, timeout: float) -> None:
        """Return when everything taken on has its outcome, or after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self.wait_until_idle()
        except TimeoutError:
            logger.warning(
                "events without an ack at the end",
                extra={"action": "drain_timeout", "count": self.unsettled_count},
            )

    async def wait_for_room_within(self, outgoing: Outgoing, timeout: float) -> None:
        """Return when another event may be taken on.

        Raises:
            PublishTimeoutError: there was no room within `timeout` seconds; nothing was sent.
        """
        try:
            async with asyncio.timeout(timeout):
                await self.wait_for_room()
        except TimeoutError as error:
            raise PublishTimeoutError(
                subject=outgoing.subject, event_id=outgoing.event_id, timeout=timeout
            ) from error

    # --- what the dispatcher tells

    def note_stored(self, entries: Sequence[Entry], stored: Stored) -> None:
        """Release the callers."""
        stream, is_duplicate, timed = stored.stream, stored.is_duplicate, self._timed
        self.unsettled_count -= len(entries)
        for sequence, entry in enumerate(entries, stored.sequence - len(entries) + 1):
            receipt = stored_receipt(entry.outgoing.event_id, stream, sequence, is_duplicate)
            self.unsettled_bytes -= entry.size_bytes
            entry.is_settled = True
            entry.receipt = receipt
            waiter = entry.waiter
            if waiter is not None:
                timed.discard(entry)
                if not waiter.done():
                    waiter.set_result(receipt)
            if entry.settle is not None:
                entry.settle(entry, receipt, None)

    def replace_refused(self, entry: Entry, refusal: Refusal) -> Entry | None:
        """Tell the caller, and return the tombstone, where there is one to be had."""
        error = PublishRejectedError(
            subject=entry.outgoing.subject,
            event_id=entry.outgoing.event_id,
            code=refusal.code,
            description=refusal.description,
        )
        self.unsettled_count -= 1
        self.unsettled_bytes -= entry.size_bytes
        entry.is_settled = True
        self._timed.discard(entry)
        if entry.waiter is not None and not entry.waiter.done():
            entry.waiter.set_exception(error)
        stone = self._tombstone_for(entry, refusal)
        if stone is None:
            self.lost_count += 1
            logger.error("event refused", extra={"action": "event_refused", "reason": str(error)})
            if entry.settle is not None:
                entry.settle(entry, None, error)
            return None
        self.tombstone_count += 1
        self.unsettled_count += 1
        self.unsettled_bytes += stone.size_bytes
        return stone

    def _tombstone_for(self, entry: Entry, refusal: Refusal) -> Entry | None:
        if self._make_tombstone is None or entry.is_tombstone:
            return None
        reason = f"{refusal.description} ({refusal.code})"
        replacement = self._make_tombstone(entry.outgoing, reason)
        if replacement is None:
            return None
        stone = Entry(replacement, entry.settle)
        stone.record = entry.record
        stone.is_tombstone = True
        return stone

    def note_round(self) -> None:
        """Let waiting callers in."""
        if self.has_room:
            self._room.set()
        if not self.unsettled_count:
            self._idle.set()

    def note_time_matters(self) -> None:
        """Start looking at the clock."""
        self._time_matters.set()

    def look_up(self, entries: list[Entry]) -> None:
        """Have the stream asked about these."""
        self._to_look_up.extend(entries)
        self._look_up_due.set()

    # --- what the connection tells

    def on_disconnected(self) -> None:
        """Whatever was under way has an unknown outcome."""
        self._dispatcher.disconnected()

    def on_connected(self) -> None:
        """Go on."""
        self._dispatcher.connected()
        self._look_up_due.set()

    def on_permission_error(self, message: str) -> None:
        """Something was dropped."""
        self._dispatcher.permission_denied(message)

    # --- what time brings

    async def run(self) -> None:
        """Watch deadlines and look up outdated outcomes until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch_time())
            tasks.create_task(self._look_up_outdated())

    async def _watch_time(self) -> None:
        while True:
            if not self._timed and not self._dispatcher.needs_time:
                self._time_matters.clear()
                await self._time_matters.wait()
            await asyncio.sleep(self._limits.sweep_interval)
            now = self._loop.time()
            self._end_overdue_waits(now)
            self._dispatcher.expire(now)

    def _end_overdue_waits(self, now: float) -> None:
        for entry in [entry for entry in self._timed if entry.deadline <= now]:
            self._timed.discard(entry)
            if entry.waiter is not None and not entry.waiter.done():
                entry.waiter.set_exception(
                    PublishTimeoutError(
                        subject=entry.outgoing.subject,
                        event_id=entry.outgoing.event_id,
                        timeout=entry.timeout,
                    )
                )

    async def _look_up_outdated(self) -> None:
        while True:
            while not self._to_look_up or not self.is_connected:
                self._look_up_due.clear()
                await self._look_up_due.wait()
            entries = tuple(self._to_look_up)
            try:
                sequences = await self._lookup.find_stored(entries)
            except BusError as error:
                del self._to_look_up[: len(entries)]
                logger.info(
                    "lookup failed", extra={"action": "lookup_failed", "reason": str(error)}
                )
                self._dispatcher.resume(list(entries), [], [])
            else:
                del self._to_look_up[: len(entries)]
                self._apply_lookup(entries, sequences)

    def _apply_lookup(self, entries: Sequence[Entry], sequences: dict[str, int]) -> None:
        missing: list[Entry] = []
        found: list[Entry] = []
        for entry in entries:
            sequence = sequences.get(entry.outgoing.event_id)
            if sequence is None:
                missing.append(entry)
                continue
            found.append(entry)
            self.note_stored((entry,), Stored(self._lookup.stream, sequence, True, 0))
        self._dispatcher.resume([], missing, found)

    def close(self) -> list[Entry]:
        """Take nothing more on; return what has no outcome, in order within each lane."""
        self._is_closed = True
        left = [*self._to_look_up, *self._dispatcher.abandon()]
        self._to_look_up = []
        self._timed.clear()
        for entry in left:
            if entry.waiter is not None and not entry.waiter.done():
                entry.waiter.set_exception(BusClosedError(operation="publish"))
        self._room.set()
        self._idle.set()
        return left


@asynccontextmanager
async def open_committer(
    client: BusClient,
    lookup: StoredLookup,
    *,
    limits: CommitLimits | None = None,
    make_tombstone: MakeTombstone | None = None,
) -> AsyncIterator[GroupCommitter]:
    """Publish through `client` until the end of the block.

    Call `drain` before leaving to wait for acks; what has none at the end is abandoned.
    """
    committer = GroupCommitter(
        client, lookup, limits=limits or CommitLimits(), make_tombstone=make_tombstone
    )
    client.listeners.append(committer)
    if client.is_connected and client.is_listening:
        committer.on_connected()
    running = create_logged_task(committer.run(), "group committer")
    try:
        yield committer
    finally:
        client.listeners.remove(committer)
        committer.close()
        await end_task(running)
