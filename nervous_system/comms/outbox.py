"""The publisher that agents use: group commit on top, a spool on disk beneath.

Where an event is at any time:

    with the committer only          a caller waits for its ack; nothing is on disk here yet
    in the spool only                the sender has not come to it yet; `_behind` counts these
    in the spool, with the committer its record is settled when the ack comes

Order within an emitter: while events of it are in the spool only, further ones go there too, and
before one of its events is spooled, those that only the committer has are spooled as well. So the
spool never holds an event without its predecessors, and what a dead process leaves is in order and
without gaps.

While the bus is away, the first caller of the default kind waits its timeout; until the bus is
back, later ones are spooled at once, so that an agent does not stand still with it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from nervous_system.comms.adoption import adopt_orphans
from nervous_system.comms.commit import GroupCommitter
from nervous_system.comms.contracts import Outgoing, Receipt, Wait
from nervous_system.comms.entry import Entry, StoredLookup
from nervous_system.comms.frames import encode_headers, encode_subject
from nervous_system.comms.running import create_logged_task, end_task
from nervous_system.comms.spool import Spool, open_spool
from nervous_system.comms.spool_format import Record
from nervous_system.comms.turns import Turns
from nervous_system.config import SpoolConfig, SpoolPolicy
from nervous_system.errors import BusClosedError, BusError, PublishTimeoutError, SpoolFullError

logger = logging.getLogger(__name__)

CHUNK_COUNT = 1_000
MAX_IDLE_EMITTERS = 4_096
"""Emitters without an open event that are remembered, since they will come again."""
MAX_HANDED_ON = 4_000
"""Events of the spool that may be with the committer at once; the rest is on disk only."""
DISK_RETRY_SECONDS = 1.0
"""How often a full spool is tried again although none of it was sent: it may be the disk that was
full, and nobody tells when that has room again."""


class Outbox:
    """Implements `Publisher` for all ways to wait. Made by `open_outbox`."""

    def __init__(self, committer: GroupCommitter, spool: Spool, policy: SpoolPolicy) -> None:
        self._committer = committer
        self._spool = spool
        self._policy = policy
        self._behind: dict[str, int] = {}
        """How many events of an emitter are in the spool only."""
        self._direct: dict[str, deque[Entry]] = {}
        """Events of an emitter that only the committer has."""
        self._prepared: dict[int, Entry] = {}
        """Entries of records whose caller waits, for the sender to hand on."""
        self._held: set[int] = set()
        """Records of events that the committer had before; the sender passes them over."""
        self._settle_direct = self._on_direct_settled
        """Bound once, not for each event."""
        self._turns = Turns()
        self._full = asyncio.Lock()
        """Held by whoever waits for room in the spool, so that the others queue up behind."""
        self._work = asyncio.Event()
        self._room = asyncio.Event()
        self._settled = asyncio.Event()
        self._handed_on = 0
        self._is_away = not committer.is_connected
        self._is_closed = False
        self.dropped_count = 0
        """Events that a full spool with the policy DROP had no room for."""

    @property
    def spooled_count(self) -> int:
        """Events on disk that are not known to be in the stream, at most."""
        return self._spool.last_number - self._spool.settled_number

    def has_room(self, outgoing: Outgoing) -> bool:
        """Return whether the spool could take the event now; ask before numbering it."""
        return self._spool.has_room(outgoing)

    async def submit(self, outgoing: Outgoing, wait: Wait, timeout: float) -> Receipt:
        """Publish one event.

        A full spool blocks the call, refuses, or drops, as its policy says; a dropped event's
        receipt is not `spooled` and has no sequence.

        Raises:
            PublishTimeoutError: with `Wait.ACK`, no ack within `timeout` seconds; the event stays
            on its way. PublishRejectedError: the server refused it for good while the call waited.
            SpoolFullError: it had to be spooled and the spool's policy is to refuse.
            BusClosedError: the bus is closed.
            InvalidEventError: subject or headers cannot be sent.
        """
        if self._is_closed:
            raise BusClosedError(operation="publish")
        if wait is Wait.HANDOVER or (wait is Wait.ACK_OR_SPOOL and self._is_away):
            return await self._hand_over_in_turn(outgoing)
        entry = Entry(outgoing)
        lane = entry.lane
        try:
            if self._committer.has_room and not (
                self._behind.get(lane) or self._turns.is_taken(lane)
            ):
                receipt = await self._commit(entry, timeout)
            else:
                receipt = await (await self._place_in_turn(entry, timeout))
        except PublishTimeoutError:
            if wait is Wait.ACK:
                raise
            self._is_away = True
            return await self._keep(entry)
        self._is_away = False
        return receipt

    # --- the three ways --------------------------------------------------------------------------

    async def _hand_over_in_turn(self, outgoing: Outgoing) -> Receipt:
        lane = outgoing.emitter_id
        await self._turns.take(lane)
        try:
            return await self._hand_over(outgoing)
        finally:
            self._turns.give(lane)

    async def _place_in_turn(self, entry: Entry, timeout: float) -> "asyncio.Future[Receipt]":
        """Wait until nothing of the lane waits before this event, and there is room for it."""
        lane = entry.lane
        await self._turns.take(lane)
        try:
            if self._behind.get(lane):
                return await self._queue_up(entry, timeout)
            if not self._committer.has_room:
                try:
                    await self._committer.wait_for_room_within(entry.outgoing, timeout)
                except PublishTimeoutError:
                    return await self._set_aside(entry, timeout)
            return self._commit(entry, timeout)
        finally:
            self._turns.give(lane)

    async def _set_aside(self, entry: Entry, timeout: float) -> "asyncio.Future[Receipt]":
        """Spool an event whose time is over before it found room: it has its number already."""
        direct = self._direct.get(entry.lane)
        if direct:
            await self._secure(direct)
        receipt = await self._queue_up(entry, 0.0)
        entry.timeout = timeout
        return receipt

    async def _hand_over(self, outgoing: Outgoing) -> Receipt:
        encode_subject(outgoing.subject)
        encode_headers(outgoing)
        emitter = outgoing.emitter_id
        direct = self._direct.get(emitter)
        if direct:
            await self._secure(direct)
        number = await self._append(outgoing, self._committer.last_sequence)
        if not number:
            return Receipt(event_id=outgoing.event_id)
        self._note_behind(emitter)
        return Receipt(event_id=outgoing.event_id, spooled=True)

    async def _queue_up(self, entry: Entry, timeout: float) -> "asyncio.Future[Receipt]":
        """Put an event behind those of its emitter that are in the spool only."""
        entry.record = await self._append(entry.outgoing, self._committer.last_sequence)
        if not entry.record:
            raise self._spool.full()
        entry.settle = self._on_handed_on_settled
        self._prepared[entry.record] = entry
        self._note_behind(entry.lane)
        return self._committer.watch(entry, timeout)

    def _commit(self, entry: Entry, timeout: float) -> "asyncio.Future[Receipt]":
        """Give an event to the committer alone."""
        entry.settle = self._settle_direct
        self._committer.enqueue(entry)
        emitter = entry.lane
        if emitter:
            direct = self._direct.get(emitter)
            if direct is None:
                direct = self._direct[emitter] = deque()
            direct.append(entry)
        return self._committer.watch(entry, timeout)

    async def _keep(self, entry: Entry) -> Receipt:
        """Make sure that an event whose caller waits no longer survives this process."""
        if not entry.is_settled and not entry.record:
            await self._secure(self._direct.get(entry.lane) or deque((entry,)))
        if entry.receipt is not None:
            return entry.receipt
        return Receipt(event_id=entry.outgoing.event_id, spooled=bool(entry.record))

    async def _secure(self, direct: "deque[Entry]") -> None:
        """Write events to the spool that only the committer has."""
        for entry in tuple(direct):
            if entry.is_settled or entry.record:
                continue
            # It may have been sent already, and stored at any sequence since then.
            was_sent = entry.first_sent_at is not None
            after = entry.after_sequence if was_sent else self._committer.last_sequence
            entry.record = await self._append(entry.outgoing, after)
            if entry.record:
                self._hold(entry)

    def _hold(self, entry: Entry) -> None:
        """Leave the sending of a record to the committer, which has its event already."""
        self._held.add(entry.record)
        self._work.set()
        entry.settle = self._on_held_settled
        self._forget_direct(entry)
        if entry.is_settled:
            self._on_held_settled(entry, entry.receipt, None)

    async def _append(self, outgoing: Outgoing, after_sequence: int) -> int:
        """Return the number of the record; 0: dropped."""
        if not self._full.locked():
            try:
                return self._spool.append(outgoing, after_sequence)
            except SpoolFullError as error:
                if self._policy is SpoolPolicy.REFUSE:
                    raise
                if self._policy is SpoolPolicy.DROP:
                    self._note_dropped(error)
                    return 0
        return await self._append_when_room(outgoing, after_sequence)

    async def _append_when_room(self, outgoing: Outgoing, after_sequence: int) -> int:
        async with self._full:
            while True:
                try:
                    return self._spool.append(outgoing, after_sequence)
                except SpoolFullError:
                    if self._is_closed:
                        raise
                self._room.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(DISK_RETRY_SECONDS):
                        await self._room.wait()

    def _note_dropped(self, error: SpoolFullError) -> None:
        self.dropped_count += 1
        logger.warning("event dropped", extra={"action": "event_dropped", "reason": str(error)})

    def _note_behind(self, emitter: str) -> None:
        self._behind[emitter] = self._behind.get(emitter, 0) + 1
        self._work.set()

    # --- outcomes --------------------------------------------------------------------------------

    def _on_direct_settled(
        self, entry: Entry, _receipt: Receipt | None, _error: BusError | None
    ) -> None:
        self._forget_direct(entry)

    def _on_held_settled(
        self, entry: Entry, receipt: Receipt | None, _error: BusError | None
    ) -> None:
        self._spool.settle(entry.record)
        if receipt is not None:
            self._is_away = False
        self._room.set()
        self._settled.set()

    def _on_handed_on_settled(
        self, entry: Entry, receipt: Receipt | None, error: BusError | None
    ) -> None:
        self._handed_on -= 1
        self._on_held_settled(entry, receipt, error)

    def _forget_direct(self, entry: Entry) -> None:
        direct = self._direct.get(entry.lane)
        if direct is None:
            return
        while direct and (direct[0].is_settled or direct[0].record):
            direct.popleft()
        if not direct and len(self._direct) > MAX_IDLE_EMITTERS:
            del self._direct[entry.lane]

    # --- from the spool to the committer ---------------------------------------------------------

    async def run(self) -> None:
        """Hand spooled events on, in order, until cancelled."""
        while True:
            room = MAX_HANDED_ON - self._handed_on
            if room <= 0 or not self._committer.has_room:
                self._room.clear()
                await self._room.wait()
                continue
            records = self._spool.read(min(CHUNK_COUNT, room))
            if not records:
                self._work.clear()
                await self._work.wait()
                continue
            for record in records:
                self._hand_on(record)
            await asyncio.sleep(0)

    def _hand_on(self, record: Record) -> None:
        if record.number in self._held:
            self._held.discard(record.number)
            return
        entry = self._prepared.pop(record.number, None)
        if entry is None:
            entry = Entry(record.outgoing, self._on_handed_on_settled)
            entry.record = record.number
        self._handed_on += 1
        self._committer.enqueue(entry)
        emitter = entry.lane
        if self._behind[emitter] == 1:
            del self._behind[emitter]
        else:
            self._behind[emitter] -= 1

    async def drain(self, timeout: float) -> None:
        """Return when all is in the stream, or after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._committer.wait_until_idle()
                while not self._spool.is_empty:
                    self._settled.clear()
                    await self._settled.wait()
        except TimeoutError:
            logger.warning(
                "events kept for the next process",
                extra={"action": "drain_timeout", "count": self.spooled_count},
            )

    def close(self) -> None:
        """Take nothing more on; keep what only the committer has."""
        self._is_closed = True
        self._room.set()
        for entry in self._committer.close():
            if entry.record:
                continue
            try:
                self._spool.append(entry.outgoing, entry.after_sequence)
            except SpoolFullError as error:
                logger.exception(
                    "event lost at the end",
                    extra={"action": "event_lost", "reason": str(error)},
                )


@asynccontextmanager
async def open_outbox(
    committer: GroupCommitter,
    lookup: StoredLookup,
    config: SpoolConfig,
    *,
    close_timeout: float = 5.0,
) -> AsyncIterator[Outbox]:
    """Publish through `committer` and a spool of this process; adopt what dead processes left.

    At the end acks are waited for up to `close_timeout` seconds; the rest stays for the next
    process.

    Raises:
        ConfigError: the spool's directory cannot be written to.
    """
    with open_spool(config) as spool:
        outbox = Outbox(committer, spool, config.policy)
        running = [
            create_logged_task(outbox.run(), "spool sender"),
            create_logged_task(adopt_orphans(committer, lookup, config.directory), "adoption"),
        ]
        try:
            yield outbox
        finally:
            try:
                await outbox.drain(close_timeout)
            finally:
                for task in running:
                    await end_task(task)
                outbox.close()
