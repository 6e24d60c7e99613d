"""Group commit: many callers, few round trips, every caller released when its own event is on disk.

What comes in is put into lanes (`grouping`); what may go is sent at the end of the same turn of
the event loop, so that a lone caller waits for nothing and callers that were released together
leave together. While a group is under way, new events gather.

What can happen to a group, and what is done about it:

    acked                        callers are released
    batch refused                its events go again one by one, in order, under the same ids
    single refused for good      the event's tombstone takes its place, the caller gets
    PublishRejectedError no ack, or connection lost   outcome unknown: one by one again, same ids;
    the server answers a repeat with the first one unknown for longer than      the stream is asked
    first what it holds: the duplicate window has passed, and a repeat would the duplicate window
          be stored twice

Nothing here gives up on an event by itself: a caller's timeout ends the waiting, not the sending.
"""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nervous_system.comms.connection import BusClient
from nervous_system.comms.contracts import Outgoing, Receipt, Wait
from nervous_system.comms.entry import CommitLimits, Entry, Flight, MakeTombstone, StoredLookup
from nervous_system.comms.frames import batch_frames, single_frame
from nervous_system.comms.grouping import MAX_BATCH_COUNT, Group, Lanes
from nervous_system.comms.replies import (
    PERMISSION_CODE,
    Refusal,
    Stored,
    parse_reply,
    refused_subject,
)
from nervous_system.comms.running import create_logged_task
from nervous_system.errors import (
    BusClosedError,
    BusError,
    PublishRejectedError,
    PublishTimeoutError,
)

logger = logging.getLogger(__name__)

SAFE_WINDOW_SHARE = 0.75
"""Share of the duplicate window after which an unknown outcome is looked up instead of repeated."""
OVERSIZE_CODE = 10054
"""The server's own code for a message over its limit."""


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
        self._client = client
        self._lookup = lookup
        self._limits = limits
        self._make_tombstone = make_tombstone
        self._loop = asyncio.get_running_loop()
        self._lanes: Lanes[Entry] = Lanes()
        self._flights: list[Flight] = []
        self._batch_flights = 0
        self._single_count = 0
        self._timed: set[Entry] = set()
        self._to_look_up: list[Entry] = []
        self._tokens = itertools.count(1)
        self._is_pump_due = False
        self._is_connected = client.is_connected
        self._is_closed = False
        self._paused_until = 0.0
        self._retry_wait = limits.retry_wait
        self._room = asyncio.Event()
        self._idle = asyncio.Event()
        self._work = asyncio.Event()
        self._look_up_due = asyncio.Event()
        self._reply_prefix = client.reply_prefix
        self._batch_prefix = client.new_inbox().rpartition(".")[2].encode() + b"-"
        self.unsettled_count = 0
        """Events that were taken on and have no outcome yet."""
        self.unsettled_bytes = 0
        self.last_sequence = 0
        """Highest stream sequence seen in an ack."""
        self.tombstone_count = 0
        self.lost_count = 0
        """Refused events for which there was no tombstone, or whose tombstone was refused too."""

    # --- taking events on
    # ------------------------------------------------------------------------------------

    @property
    def is_connected(self) -> bool:
        """Frames leave at once."""
        return self._is_connected

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
        if not self.has_room:
            await self.wait_for_room_within(outgoing, timeout)
        self.enqueue(entry)
        return await self.watch(entry, timeout)

    def enqueue(self, entry: Entry) -> None:
        """Take an event on, behind all others of its lane; the limits are the caller's business.

        Raises:
            BusClosedError: the bus is closed.
        """
        if self._is_closed:
            raise BusClosedError(operation="publish")
        self.unsettled_count += 1
        self.unsettled_bytes += entry.size_bytes
        self._lanes.add(entry)
        self._schedule_pump()

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
            self._work.set()
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

    # --- sending
    # ---------------------------------------------------------------------------------------------

    def _schedule_pump(self) -> None:
        if not self._is_pump_due and self._is_connected:
            self._is_pump_due = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        """Send what may be sent now."""
        self._is_pump_due = False
        if not self._is_connected or self._is_closed:
            return
        if self._paused_until and self._loop.time() < self._paused_until:
            return
        self._set_outdated_aside()
        while self._lanes.waiting_count:
            group = self._next_group()
            if group is None:
                return
            self._send(group)

    def _next_group(self) -> Group[Entry] | None:
        limits = self._limits
        if self._batch_flights >= limits.max_flights:
            return None
        if not self._flights:
            return self._lanes.take(MAX_BATCH_COUNT)
        if self._single_count >= limits.max_single_flights:
            return None
        return self._lanes.take(MAX_BATCH_COUNT, limits.min_second_batch)

    def _send(self, group: Group[Entry]) -> None:
        now = self._loop.time()
        max_bytes = self._client.max_payload
        oversize = False
        for entry in group.members:
            if entry.size_bytes > max_bytes:
                oversize = True
            if entry.first_sent_at is None:
                entry.first_sent_at = now
                entry.after_sequence = self.last_sequence
        if oversize:
            self._refuse_oversize(group, max_bytes)
            return
        flight = Flight(group, now)
        self._flights.append(flight)
        self._work.set()
        if group.is_batch:
            self._send_batch(flight)
        else:
            self._send_singles(flight)

    def _send_batch(self, flight: Flight) -> None:
        members = flight.group.members
        token = self._new_token(flight)
        self._batch_flights += 1
        self._client.acks[token] = lambda _, payload, headers: self._on_batch_reply(
            flight, parse_reply(payload, headers)
        )
        frames = batch_frames(
            [(entry.subject, entry.headers, entry.payload) for entry in members],
            self._batch_prefix + token,
            len(members),
            self._reply_prefix + token,
        )
        self._client.write_frames(frames)

    def _send_singles(self, flight: Flight) -> None:
        parts: list[bytes] = []

        def on_reply(token: bytes, payload: bytes, headers: bytes | None) -> None:
            self._on_single_reply(flight, token, parse_reply(payload, headers))

        for entry in flight.group.members:
            token = self._new_token(flight)
            flight.open[token] = entry
            self._client.acks[token] = on_reply
            reply = self._reply_prefix + token
            parts.append(single_frame(entry.subject, entry.headers, entry.payload, reply))
        self._single_count += len(parts)
        self._client.write_frames(b"".join(parts))

    def _new_token(self, flight: Flight) -> bytes:
        token = b"%x" % next(self._tokens)
        flight.tokens.append(token)
        return token

    def _set_outdated_aside(self) -> None:
        """Take events out whose outcome has been unknown for too long to repeat them blindly."""
        limit = self._loop.time() - self._limits.duplicate_window * SAFE_WINDOW_SHARE
        outdated = self._lanes.take_suspects(
            lambda entry: entry.first_sent_at is not None and entry.first_sent_at < limit
        )
        if outdated:
            self._to_look_up.extend(outdated)
            self._look_up_due.set()

    # --- outcomes
    # --------------------------------------------------------------------------------------------

    def _on_batch_reply(self, flight: Flight, reply: Stored | Refusal) -> None:
        self._land(flight)
        members = flight.group.members
        if isinstance(reply, Refusal):
            logger.info(
                "batch refused, sending one by one",
                extra={"action": "batch_refused", "code": reply.code, "count": len(members)},
            )
            if not reply.is_final:
                self._pause()
            self._retry(members)
            return
        self._note_success(reply.sequence)
        first = reply.sequence - len(members) + 1
        for sequence, entry in enumerate(members, first):
            self._settle(
                entry,
                Receipt(event_id=entry.outgoing.event_id, stream=reply.stream, sequence=sequence),
            )
        self._lanes.release({entry.lane for entry in members})
        self._after_outcomes()

    def _on_single_reply(self, flight: Flight, token: bytes, reply: Stored | Refusal) -> None:
        entry = flight.open.pop(token)
        self._single_count -= 1
        if not flight.open:
            self._flights.remove(flight)
        if isinstance(reply, Stored):
            self._note_success(reply.sequence)
            receipt = Receipt(
                event_id=entry.outgoing.event_id,
                stream=reply.stream,
                sequence=reply.sequence,
                duplicate=reply.is_duplicate,
            )
            self._settle(entry, receipt)
            self._lanes.release((entry.lane,))
            self._after_outcomes()
        elif reply.is_final:
            self._refuse(entry, reply)
            self._lanes.release((entry.lane,))
            self._after_outcomes()
        else:
            self._pause()
            self._retry([entry])

    def _land(self, flight: Flight) -> None:
        """Take a flight off the list; late answers to it find nobody."""
        self._flights.remove(flight)
        if flight.is_batch:
            self._batch_flights -= 1
        self._single_count -= len(flight.open)
        for token in flight.tokens:
            self._client.acks.pop(token, None)

    def _give_up_on(self, flight: Flight) -> None:
        """Treat the outcome of a flight as unknown."""
        self._land(flight)
        self._retry(flight.group.members if flight.is_batch else list(flight.open.values()))

    def _retry(self, entries: list[Entry]) -> None:
        for entry in entries:
            entry.is_suspect = True
        self._lanes.give_back(entries)
        self._lanes.release({entry.lane for entry in entries})
        self._schedule_pump()

    def _settle(self, entry: Entry, receipt: Receipt) -> None:
        self.unsettled_count -= 1
        self.unsettled_bytes -= entry.size_bytes
        entry.is_settled = True
        entry.receipt = receipt
        waiter = entry.waiter
        if waiter is not None:
            self._timed.discard(entry)
            if not waiter.done():
                waiter.set_result(receipt)
        if entry.settle is not None:
            entry.settle(entry, receipt, None)

    def _refuse(self, entry: Entry, refusal: Refusal) -> None:
        """Tell the caller.

        And put a tombstone in the event's place where there is one to be had.
        """
        error = PublishRejectedError(
            subject=entry.outgoing.subject,
            event_id=entry.outgoing.event_id,
            code=refusal.code,
            description=refusal.description,
        )
        self._timed.discard(entry)
        if entry.waiter is not None and not entry.waiter.done():
            entry.waiter.set_exception(error)
        self.unsettled_count -= 1
        self.unsettled_bytes -= entry.size_bytes
        entry.is_settled = True
        stone = self._tombstone_for(entry, refusal)
        if stone is None:
            self.lost_count += 1
            logger.error("event refused", extra={"action": "event_refused", "reason": str(error)})
            if entry.settle is not None:
                entry.settle(entry, None, error)
            return
        self.tombstone_count += 1
        self.unsettled_count += 1
        self.unsettled_bytes += stone.size_bytes
        self._lanes.give_back([stone])

    def _tombstone_for(self, entry: Entry, refusal: Refusal) -> Entry | None:
        if self._make_tombstone is None or entry.is_tombstone:
            return None
        replacement = self._make_tombstone(
            entry.outgoing, f"{refusal.description} ({refusal.code})"
        )
        if replacement is None:
            return None
        stone = Entry(replacement, entry.settle)
        stone.record = entry.record
        stone.is_tombstone = True
        return stone

    def _refuse_oversize(self, group: Group[Entry], max_bytes: int) -> None:
        """The server would cut the connection for these; their neighbours go back."""
        fitting = [entry for entry in group.members if entry.size_bytes <= max_bytes]
        self._lanes.give_back(fitting)
        for entry in group.members:
            if entry.size_bytes > max_bytes:
                reason = f"{len(entry.payload)} bytes, the server takes {max_bytes} with headers"
                self._refuse(entry, Refusal(OVERSIZE_CODE, reason, is_final=True))
        self._lanes.release({entry.lane for entry in group.members})
        self._after_outcomes()

    def _after_outcomes(self) -> None:
        if self.has_room:
            self._room.set()
        if not self.unsettled_count:
            self._idle.set()
        self._schedule_pump()

    def _note_success(self, sequence: int) -> None:
        self.last_sequence = max(self.last_sequence, sequence)
        self._retry_wait = self._limits.retry_wait
        self._paused_until = 0.0

    def _pause(self) -> None:
        self._paused_until = self._loop.time() + self._retry_wait
        self._retry_wait = min(self._retry_wait * 2, self._limits.max_retry_wait)
        self._work.set()

    # --- the connection tells
    # --------------------------------------------------------------------------------

    def on_disconnected(self) -> None:
        """Whatever was under way has an unknown outcome."""
        self._is_connected = False
        for flight in tuple(self._flights):
            self._give_up_on(flight)

    def on_connected(self) -> None:
        """Go on."""
        self._is_connected = True
        self._paused_until = 0.0
        self._look_up_due.set()
        self._schedule_pump()

    def on_permission_error(self, message: str) -> None:
        """Find what the server has dropped: it sends no ack for that."""
        subject = refused_subject(message)
        if subject is None:
            return
        named = subject.encode()
        for flight in tuple(self._flights):
            if flight.is_batch:
                if any(entry.subject.lower() == named for entry in flight.group.members):
                    self._give_up_on(flight)
                continue
            for token, entry in tuple(flight.open.items()):
                if entry.subject.lower() == named:
                    self._client.acks.pop(token, None)
                    self._on_single_reply(flight, token, Refusal(PERMISSION_CODE, message, True))

    # --- what time brings
    # ------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Watch deadlines and look up outdated outcomes until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch_time())
            tasks.create_task(self._look_up_outdated())

    async def _watch_time(self) -> None:
        while True:
            if not self._timed and not self._flights and not self._paused_until:
                self._work.clear()
                await self._work.wait()
            await asyncio.sleep(self._limits.sweep_interval)
            self._sweep(self._loop.time())

    def _sweep(self, now: float) -> None:
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
        silent_since = now - self._limits.ack_timeout
        for flight in [flight for flight in self._flights if flight.sent_at <= silent_since]:
            self._pause()
            self._give_up_on(flight)
        if self._paused_until and now >= self._paused_until:
            self._paused_until = 0.0
            self._schedule_pump()

    async def _look_up_outdated(self) -> None:
        while True:
            while not self._to_look_up or not self._is_connected:
                self._look_up_due.clear()
                await self._look_up_due.wait()
            entries, self._to_look_up = self._to_look_up, []
            try:
                found = await self._lookup.find_stored(entries)
            except BusError as error:
                logger.info(
                    "lookup failed", extra={"action": "lookup_failed", "reason": str(error)}
                )
                self._pause()
                self._retry(entries)
                continue
            self._apply_lookup(entries, found)

    def _apply_lookup(self, entries: list[Entry], found: dict[str, int]) -> None:
        missing = []
        for entry in entries:
            event_id = entry.outgoing.event_id
            if event_id in found:
                stream = self._lookup.stream
                self._settle(
                    entry,
                    Receipt(
                        event_id=event_id, stream=stream, sequence=found[event_id], duplicate=True
                    ),
                )
                continue
            entry.is_suspect = False
            entry.first_sent_at = None
            missing.append(entry)
        self._lanes.give_back(missing)
        self._lanes.release({entry.lane for entry in entries})
        self._after_outcomes()

    def close(self) -> list[Entry]:
        """Take nothing more on; return what has no outcome, in order within each lane."""
        self._is_closed = True
        left: list[Entry] = []
        for flight in tuple(self._flights):
            left.extend(flight.group.members if flight.is_batch else flight.open.values())
            self._land(flight)
        left.extend(self._to_look_up)
        self._to_look_up = []
        left.extend(self._lanes.drain())
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
    if client.is_connected:
        committer.on_connected()
    running = create_logged_task(committer.run(), "group committer")
    try:
        yield committer
    finally:
        client.listeners.remove(committer)
        committer.close()
        running.cancel()
        await asyncio.wait({running})
