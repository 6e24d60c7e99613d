"""Puts waiting events on the wire in groups, and judges what comes of each group.

    acked                          every event is reported stored, with its sequence
    batch refused                  its events go again one by one, in order, under the same ids
    single refused for good        reported refused; what the owner gives instead goes next
    single refused for now         again, after a pause
    no ack, or connection lost     outcome unknown: one by one again, under the same ids; the server
                                   answers a repeat with the sequence of the first
    unknown for too long           set aside for a lookup: the server's duplicate window has passed,
                                   and a repeat would be stored twice

Nothing here gives up on an event by itself.

Callers that a batch has released come back together, and the server takes its time to prepare for a
batch and to read it. So the first event that comes back is sent ahead, more follow as they come,
and the batch is completed when everybody has spoken: the server works meanwhile.
"""

import asyncio
import itertools
import logging
from collections.abc import Iterable, Sequence
from typing import Protocol

from nervous_system.comms.connection import BusClient
from nervous_system.comms.entry import CommitLimits, Entry, Flight
from nervous_system.comms.frames import batch_frames, single_frame
from nervous_system.comms.grouping import MAX_BATCH_COUNT, Group, Lanes, is_batch_cheaper
from nervous_system.comms.replies import (
    OVERSIZE_CODE,
    PERMISSION_CODE,
    Refusal,
    Stored,
    parse_reply,
    refused_subject,
)

logger = logging.getLogger(__name__)

AHEAD_COUNT = 64
"""After so many more events those that have come are sent on, while a batch is open."""
SAFE_WINDOW_SHARE = 0.75
"""Share of the duplicate window after which an unknown outcome is looked up, not repeated."""


class Owner(Protocol):
    """Whom a dispatcher reports to."""

    def note_stored(self, entries: Sequence[Entry], stored: Stored) -> None:
        """These are in the stream one behind the other, the last one at the sequence told."""
        ...

    def replace_refused(self, entry: Entry, refusal: Refusal) -> Entry | None:
        """An event was refused for good; return what takes its place."""
        ...

    def note_round(self) -> None:
        """Outcomes were reported."""
        ...

    def note_time_matters(self) -> None:
        """`expire` has to be called again and again from now on."""
        ...

    def look_up(self, entries: list[Entry]) -> None:
        """Find out whether these are stored, then call `resume`."""
        ...


class Dispatcher:
    """The events under way. Belongs to the thread of the event loop."""

    def __init__(self, client: BusClient, limits: CommitLimits, owner: Owner) -> None:
        self._client = client
        self._limits = limits
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._lanes: Lanes[Entry] = Lanes()
        self._flights: list[Flight] = []
        self._batch_count = 0
        self._single_count = 0
        self._tokens = itertools.count(1)
        self._reply_prefix = client.reply_prefix
        self._batch_prefix = client.new_inbox().rpartition(".")[2].encode() + b"-"
        self._is_pump_due = False
        self._is_opening = False
        """Many callers were released in this turn: a batch is worth opening when two are back."""
        self._opened: Flight | None = None
        """A batch whose first events were sent ahead; completed at the end of this turn."""
        self._unsent_count = 0
        """Events that have come since something of that batch was sent."""
        self._paused_until = 0.0
        self._retry_wait = limits.retry_wait
        self.is_connected = False
        """Frames may leave."""
        self.last_sequence = 0
        """Highest stream sequence seen in an ack."""

    @property
    def needs_time(self) -> bool:
        """Something is under way that may fall silent, or a pause will end."""
        return bool(self._flights or self._paused_until)

    # --- sending

    def add(self, entry: Entry) -> None:
        """Append an event to its lane; it leaves at the end of this turn of the event loop."""
        self._lanes.add(entry)
        if not self._is_pump_due:
            self.schedule()
        elif self._opened is not None:
            self._unsent_count += 1
            if self._unsent_count >= AHEAD_COUNT:
                self._fill_batch(self._opened)
        elif self._is_opening:
            self._open_batch()

    def schedule(self) -> None:
        """Send what may be sent, after everybody who can run now has run."""
        if not self._is_pump_due and self.is_connected:
            self._is_pump_due = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        self._is_pump_due = self._is_opening = False
        if not self.is_connected:
            return
        if self._opened is not None:
            self._complete_batch(self._opened)
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
        if self._batch_count >= limits.max_flights:
            return None
        if not self._flights:
            return self._lanes.take(MAX_BATCH_COUNT)
        if self._single_count >= limits.max_single_flights:
            return None
        return self._lanes.take(MAX_BATCH_COUNT, limits.min_second_batch)

    def _send(self, group: Group[Entry]) -> None:
        now = self._loop.time()
        if not self._note_sent(group.members, now):
            self._refuse_oversize(group.members)
            return
        flight = self._take_off(group, now)
        if group.is_batch:
            self._write_batch(flight, group.members)
        else:
            self._send_singles(flight)

    def _note_sent(self, entries: list[Entry], now: float) -> bool:
        """Note that these are about to be sent; False: the server does not take all of them."""
        max_bytes = self._client.max_payload
        is_fitting = True
        for entry in entries:
            if entry.size_bytes > max_bytes:
                is_fitting = False
            if entry.first_sent_at is None:
                entry.first_sent_at = now
                entry.after_sequence = self.last_sequence
        return is_fitting

    def _take_off(self, group: Group[Entry], now: float) -> Flight:
        flight = Flight(group, now)
        self._flights.append(flight)
        self._owner.note_time_matters()
        if flight.is_batch:
            self._batch_count += 1
            self._client.acks[self._new_token(flight)] = lambda _, payload, headers: (
                self._on_batch_reply(flight, parse_reply(payload, headers))
            )
        return flight

    def _open_batch(self) -> None:
        """Send the first event of a batch ahead, if another one is there to complete it."""
        first = self._lanes.open_batch()
        if first is None:
            return
        self._is_opening = False
        self._unsent_count = 0
        flight = self._opened = self._take_off(Group([first], is_batch=True), self._loop.time())
        if not self._note_sent([first], flight.sent_at):
            self._take_apart(flight, [])
            return
        self._write_batch(flight, [first], is_last=False)

    def _fill_batch(self, flight: Flight) -> None:
        """Send on what has come since something of the batch was sent."""
        self._unsent_count = 0
        room = MAX_BATCH_COUNT - 1 - len(flight.group.members)
        self._send_behind(flight, self._lanes.fill_batch(room), is_last=False)

    def _complete_batch(self, flight: Flight) -> None:
        """Send the rest of the batch."""
        behind = self._lanes.close_batch(MAX_BATCH_COUNT - len(flight.group.members))
        if not behind:
            self._take_apart(flight, [])
            return
        self._send_behind(flight, behind, is_last=True)
        self._opened = None

    def _send_behind(self, flight: Flight, entries: list[Entry], *, is_last: bool) -> None:
        if not self._note_sent(entries, self._loop.time()):
            self._take_apart(flight, entries)
        elif entries:
            members = flight.group.members
            first = len(members) + 1
            members.extend(entries)
            self._write_batch(flight, entries, first, is_last=is_last)

    def _take_apart(self, flight: Flight, unsent: list[Entry]) -> None:
        """Give a batch up that is not complete: the server forgets it, its events go again."""
        self._land(flight)
        for entry in flight.group.members:
            entry.is_suspect = True
        self._refuse_oversize([*flight.group.members, *unsent])

    def _write_batch(
        self, flight: Flight, entries: list[Entry], first: int = 1, *, is_last: bool = True
    ) -> None:
        token = flight.tokens[0]
        frames = batch_frames(
            [(entry.subject, entry.headers, entry.payload) for entry in entries],
            self._batch_prefix + token,
            len(flight.group.members) if is_last else 0,
            self._reply_prefix + token,
            first,
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
        limit = self._loop.time() - self._limits.duplicate_window * SAFE_WINDOW_SHARE
        outdated = self._lanes.take_suspects(
            lambda entry: entry.first_sent_at is not None and entry.first_sent_at < limit
        )
        if outdated:
            self._owner.look_up(outdated)

    # --- outcomes

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
        self._is_opening = self._is_worth_opening(len(members))
        self._owner.note_stored(members, reply)
        self._end_round(members)

    def _is_worth_opening(self, count: int) -> bool:
        """Whether as many events as were just stored would make a batch now."""
        if self._opened is not None or self._batch_count >= self._limits.max_flights:
            return False
        if self._flights:
            return count >= self._limits.min_second_batch
        return is_batch_cheaper(count, 1)

    def _on_single_reply(self, flight: Flight, token: bytes, reply: Stored | Refusal) -> None:
        entry = flight.open.pop(token)
        self._single_count -= 1
        if not flight.open:
            self._flights.remove(flight)
        if isinstance(reply, Stored):
            self._note_success(reply.sequence)
            self._owner.note_stored((entry,), reply)
            self._end_round((entry,))
        elif reply.is_final:
            replacement = self._owner.replace_refused(entry, reply)
            instead = [] if replacement is None else [replacement]
            self._lanes.give_back(instead)
            self._end_round((entry, *instead))
        else:
            self._pause()
            self._retry([entry])

    def _refuse_oversize(self, entries: list[Entry]) -> None:
        """The server would cut the connection for these; their neighbours go back."""
        max_bytes = self._client.max_payload
        left: list[Entry] = []
        for entry in entries:
            if entry.size_bytes <= max_bytes:
                left.append(entry)
                continue
            reason = f"{len(entry.payload)} bytes, the server takes {max_bytes} with headers"
            refusal = Refusal(OVERSIZE_CODE, reason, is_final=True)
            replacement = self._owner.replace_refused(entry, refusal)
            if replacement is not None:
                left.append(replacement)
        self._lanes.give_back(left)
        self._end_round((*entries, *left))

    def _end_round(self, entries: Iterable[Entry]) -> None:
        self._lanes.release({entry.lane for entry in entries})
        self._owner.note_round()
        self.schedule()

    def _land(self, flight: Flight) -> None:
        """Take a flight off the list; late answers to it find nobody."""
        self._flights.remove(flight)
        if flight is self._opened:
            self._opened = None
            self._lanes.close_batch(0)
        if flight.is_batch:
            self._batch_count -= 1
        self._single_count -= len(flight.open)
        for token in flight.tokens:
            self._client.acks.pop(token, None)

    def _give_up_on(self, flight: Flight) -> None:
        """Treat the outcome of a flight as unknown."""
        self._land(flight)
        self._retry(flight.unanswered)

    def _retry(self, entries: list[Entry]) -> None:
        for entry in entries:
            entry.is_suspect = True
        self._lanes.give_back(entries)
        self._lanes.release({entry.lane for entry in entries})
        self.schedule()

    def resume(self, unknown: list[Entry], missing: list[Entry], found: list[Entry]) -> None:
        """Take back what was set aside for a lookup.

        Args:
            unknown: Nothing was found out about these.
            missing: Not stored; as good as new.
            found: Stored, and reported so already.
        """
        for entry in missing:
            entry.is_suspect = False
            entry.first_sent_at = None
        if unknown:
            self._pause()
            self._retry(unknown)
        self._lanes.give_back(missing)
        self._end_round((*missing, *found))

    def _note_success(self, sequence: int) -> None:
        self.last_sequence = max(self.last_sequence, sequence)
        self._retry_wait = self._limits.retry_wait
        self._paused_until = 0.0

    def _pause(self) -> None:
        self._is_opening = False
        self._paused_until = self._loop.time() + self._retry_wait
        self._retry_wait = min(self._retry_wait * 2, self._limits.max_retry_wait)
        self._owner.note_time_matters()

    def expire(self, now: float) -> None:
        """Give up waiting for acks that are overdue, and end a pause that is over."""
        silent_since = now - self._limits.ack_timeout
        for flight in [flight for flight in self._flights if flight.sent_at <= silent_since]:
            self._pause()
            self._give_up_on(flight)
        if self._paused_until and now >= self._paused_until:
            self._paused_until = 0.0
            self.schedule()

    # --- what the connection tells

    def connected(self) -> None:
        """Go on."""
        self.is_connected = True
        self._paused_until = 0.0
        self.schedule()

    def disconnected(self) -> None:
        """Whatever was under way has an unknown outcome."""
        self.is_connected = self._is_opening = False
        for flight in tuple(self._flights):
            self._give_up_on(flight)

    def permission_denied(self, message: str) -> None:
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

    def abandon(self) -> list[Entry]:
        """Return everything without an outcome, in order within each lane, and forget it."""
        left: list[Entry] = []
        for flight in tuple(self._flights):
            left.extend(flight.unanswered)
            self._land(flight)
        left.extend(self._lanes.drain())
        self.is_connected = False
        return left
