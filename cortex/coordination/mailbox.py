"""Messages between agents: durable, in order, shown once to each reader.

What a reader has been shown is one event that replaces the one before, conditioned on it: of two
processes of one agent that read at the same time, one shows a message. It is written before the
messages are handed out; plain `inbox` still lists what a process took and could not show.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass

from cortex.coordination import mailbox_rules, places
from cortex.coordination.causes import Causes
from cortex.coordination.errors import BusyError, UnknownRecipientError, ValueRefusedError
from cortex.coordination.log import Entry, SharedLog, Written
from cortex.coordination.mailbox_rules import Message, Reading
from cortex.coordination.names import recipient_name, step_name
from nervous_system import events
from nervous_system.comms.streams import EVENTS_STREAM
from nervous_system.errors import WrongSequenceError
from nervous_system.payloads import BROADCAST

TRIES = 50
MAX_TEXT_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message on its way."""

    message_id: str
    sequence: int
    recipient: str
    redacted: int
    """How many secrets were taken out of its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A message in a mailbox."""

    message: Message
    is_new: bool
    """It was not shown before."""


class Mailbox:
    """What one agent sends, and what is sent to it."""

    def __init__(self, log: SharedLog, causes: Causes) -> None:
        self._log = log
        self._causes = causes
        self._agent = log.author.agent
        self._project = log.author.project
        self._sent: dict[str, int] = {}
        """Last sequence on the subjects that this agent has sent on, as far as it is known."""
        self._sending: dict[str, asyncio.Lock] = {}
        self._known: set[str] = {BROADCAST, self._agent}
        self._reading_on = places.own(places.READ, self._project, self._agent)
        self._patterns = tuple(
            places.thing(places.MESSAGE, self._project, name) for name in (self._agent, BROADCAST)
        )

    async def send(
        self,
        recipient: str,
        text: str,
        *,
        step: str = "",
        hold: bool = False,
        because: Iterable[str] = (),
    ) -> Sent:
        """Tell an agent something, or everybody (`_broadcast`).

        Args:
            recipient: who it is for.
            text: what is said.
            step: what it is about.
            hold: keep it also for an agent that nobody has heard of yet.
            because: ids of the events that led to it.

        Raises:
            UnknownRecipientError: the project knows no such agent, and `hold` is not set.
            ValueRefusedError: the text is empty, or larger than 1 MiB.
        """
        name = recipient_name(recipient)
        about = step_name(step) if step else ""
        payload = events.message(name, _checked_text(text), step=about)
        subject = places.written_by(places.thing(places.MESSAGE, self._project, name), self._agent)
        causes = self._causes.for_next(because)
        async with self._sending.setdefault(subject, asyncio.Lock()):  # in the order of the calls
            await asyncio.gather(self._check_known(name, hold), self._look_up(subject))
            written = await self._send(payload, subject, causes)
        return Sent(
            message_id=written.event_id,
            sequence=written.sequence,
            recipient=name,
            redacted=written.redacted,
        )

    async def inbox(self, *, new: bool = False) -> list[Shown]:
        """Return what lies in the mailbox, oldest first, and take it for shown.

        Args:
            new: leave out what was shown before.

        Raises:
            BusUnavailableError: the bus is away.
        """
        for _ in range(TRIES):
            reading = await self._reading()
            start = reading.read_through if new else reading.removed_through
            messages = await self._messages(start + 1)
            shown = [
                Shown(message=one, is_new=reading.is_unread(one))
                for one in mailbox_rules.visible(messages, reading, self._agent)
            ]
            if not any(one.is_new for one in shown):
                return shown
            if await self._write(mailbox_rules.read(messages, reading)):
                await self._causes.note(one.message.message_id for one in shown if one.is_new)
                return shown
        raise BusyError(what="this mailbox", tries=TRIES)

    async def follow(self) -> AsyncGenerator[Shown, None]:
        """Yield what was not shown before, then what comes; never ends."""
        start = await self._log.end() + 1
        for one in await self.inbox(new=True):
            yield one
        through = start - 1
        async for entry in self._log.follow(*self._patterns, start=start):
            if entry.sequence > through:  # what came together was shown together
                for one in await self.inbox(new=True):
                    through = max(through, one.message.sequence)
                    yield one

    async def remove(self, *message_ids: str) -> int:
        """Remove messages from this mailbox, and from no other; return how many lay there.

        Args:
            message_ids: ids, or how they begin.

        Raises:
            MessageMissingError: an id is none of this mailbox's, or begins several.
        """

        def some(messages: list[Message], reading: Reading) -> Reading:
            there = mailbox_rules.visible(messages, reading, self._agent)
            gone = [mailbox_rules.find_message(there, one) for one in message_ids]
            return mailbox_rules.removed_some(messages, gone, reading, self._agent)

        return await self._remove(some)

    async def remove_through(self, sequence: int) -> int:
        """Remove everything up to a sequence from this mailbox; return how many lay there."""

        def all_before(messages: list[Message], reading: Reading) -> Reading:
            before = [one for one in messages if one.sequence <= sequence]
            return mailbox_rules.removed_all(before, reading) if before else reading

        return await self._remove(all_before)

    async def _remove(self, change: Callable[[list[Message], Reading], Reading]) -> int:
        for _ in range(TRIES):
            reading = await self._reading()
            messages = await self._messages(reading.removed_through + 1)
            changed = change(messages, reading)
            before = mailbox_rules.visible(messages, reading, self._agent)
            after = mailbox_rules.visible(messages, changed, self._agent)
            if changed == reading or await self._write(changed):
                return len(before) - len(after)
        raise BusyError(what="this mailbox", tries=TRIES)

    async def _send(self, payload: events.Payload, subject: str, because: list[str]) -> Written:
        for _ in range(TRIES):
            expected = self._sent[subject]
            try:
                written = await self._log.write(payload, subject, expected, because=because)
            except WrongSequenceError:  # another process of this agent has sent something
                del self._sent[subject]
                await self._look_up(subject)
                continue
            self._sent[subject] = written.sequence
            return written
        raise BusyError(what="this recipient's mail", tries=TRIES)

    async def _look_up(self, subject: str) -> None:
        if subject not in self._sent:
            newest = await self._log.newest(subject)
            self._sent[subject] = newest.sequence if newest else 0

    async def _check_known(self, recipient: str, hold: bool) -> None:
        if hold or recipient in self._known:
            return
        if not (await self._is_there(recipient) or await self._has_read(recipient)):
            raise UnknownRecipientError(recipient=recipient, project=self._project)
        self._known.add(recipient)

    async def _is_there(self, agent: str) -> bool:
        signs = places.presences(self._project, agent)
        return await self._log.newest(signs, stream=EVENTS_STREAM) is not None

    async def _has_read(self, agent: str) -> bool:
        """Whether an agent has been there before the stream of events forgot its signs of life."""
        return await self._log.newest(places.own(places.READ, self._project, agent)) is not None

    async def _reading(self) -> Reading:
        found, sequence = await self._log.newest_read(self._reading_on, read_reading)
        if found is None:
            return Reading(sequence=sequence)
        return found

    async def _messages(self, start: int) -> list[Message]:
        entries = await self._log.all(*self._patterns, start=start)
        return [one for entry in entries if (one := read_message(entry)) is not None]

    async def _write(self, reading: Reading) -> bool:
        """Store what has been read; False: another process of this agent was faster."""
        payload = events.mailbox_read(
            read_through=reading.read_through,
            removed_through=reading.removed_through,
            removed=sorted(reading.removed),
        )
        before = [reading.event_id] if reading.event_id else []
        try:
            await self._log.write(payload, self._reading_on, reading.sequence, because=before)
        except WrongSequenceError:
            return False
        return True


def read_message(entry: Entry) -> Message | None:
    """Return the message that an entry holds; None where it holds none that is valid."""
    names = places.parse(entry.subject, places.MESSAGE)
    if names is None or len(names) != 2 or entry.event is None:
        return None
    said = entry.event.message
    if entry.event.WhichOneof("payload") != "message" or said.message_recipient != names[0]:
        return None
    return Message(
        message_id=entry.event.event_id.lower(),
        sequence=entry.sequence,
        sender=entry.agent,
        recipient=names[0],
        text=said.message_text,
        step=said.message_step,
        at=entry.at,
    )


def read_reading(entry: Entry) -> Reading | None:
    """Return how far an agent has read, as an entry says; None where it says nothing of it."""
    if entry.event is None or entry.event.WhichOneof("payload") != "mailbox_read":
        return None
    said = entry.event.mailbox_read
    return Reading(
        read_through=said.read_through,
        removed_through=said.removed_through,
        removed=frozenset(said.read_ids),
        sequence=entry.sequence,
        event_id=entry.event.event_id,
    )


def _checked_text(text: str) -> str:
    size = len(text.encode("utf-8", "surrogatepass"))
    if not text.strip():
        raise ValueRefusedError(key="message", reason="it says nothing")
    if size > MAX_TEXT_BYTES:
        reason = f"{size} bytes, at most {MAX_TEXT_BYTES}: store it with `swarm artifact upload`"
        raise ValueRefusedError(key="message", reason=reason)
    return text
