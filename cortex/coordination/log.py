"""Reads and writes what agents of a project share: single events on the stream of coordination.

A write is one publish, on the condition that nothing was written about the same thing since it was
read: operation and event at once. Nothing is kept for later while the bus is away, for nobody could
know what a write would then be conditioned on; reads and writes wait for it up to a time.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import nats.errors
import nats.js.errors
from nats.js import JetStreamContext

from cortex.coordination import places
from nervous_system import events
from nervous_system.comms.conditional import ConditionalPublisher, open_conditional_publisher
from nervous_system.comms.connection import BusClient, open_nats, redact_url, translated
from nervous_system.comms.contracts import Delivery
from nervous_system.comms.frames import MESSAGE_ID_HEADER
from nervous_system.comms.streams import COORDINATION_STREAM
from nervous_system.errors import BusUnavailableError, EventDecodeError, InvalidEventError
from nervous_system.payloads import Payload
from nervous_system.schemas import AgentRole, SwarmEvent
from nervous_system.subjects import unescape_token

if TYPE_CHECKING:
    from nervous_system.comms.reader import StreamReader
    from nervous_system.telemetry.linking import Link

PATIENCE_SECONDS = 10.0
"""How long reads and writes wait for a bus that has gone away."""
RETRY_SECONDS = 0.1
TELL_SECONDS = 2.0
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Redact = Callable[[SwarmEvent], object]
"""Takes secrets out of an event's text, in place."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A stored event about something that agents share."""

    sequence: int
    subject: str
    event: SwarmEvent | None
    """None: the message is no event."""
    agent: str
    """Who wrote it: the last token of the subject, for which the bus vouches."""
    at: datetime
    """When the server stored it, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What has become of a write."""

    sequence: int
    event_id: str
    redacted: int
    """How many secrets were taken out of its text."""
    event: SwarmEvent
    """As it was stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who writes, and what all its events carry."""

    agent: str
    project: str
    run_id: str
    role: AgentRole = AgentRole.ROLE_UNSPECIFIED
    link: "Link | None" = None
    """What the process was started for."""
    labels: Mapping[str, str] | None = None


class SharedLog:
    """The stream of coordination, for one author. Made by `open_shared_log`."""

    def __init__(
        self,
        client: BusClient,
        publisher: ConditionalPublisher,
        author: Author,
        *,
        servers: str,
        redact: Redact,
    ) -> None:
        self._client = client
        self._jetstream = client.jetstream()
        self._publisher = publisher
        self._redact = redact
        self._servers = servers
        self.author = author
        self.patience = PATIENCE_SECONDS

    @cached_property
    def _reader(self) -> "StreamReader":
        return self._reader_of(COORDINATION_STREAM)

    def _reader_of(self, stream: str) -> "StreamReader":
        """Loaded when it is first used: a claim looks up one message."""
        from nervous_system.comms.reader import StreamReader

        return StreamReader(self._client, self._jetstream, servers=self._servers, stream=stream)

    @property
    def jetstream(self) -> JetStreamContext:
        """The JetStream context of the connection, for stores of content."""
        return self._jetstream

    @property
    def servers(self) -> str:
        """Where the bus is, without passwords."""
        return self._servers

    async def newest(self, pattern: str, *, stream: str = COORDINATION_STREAM) -> Entry | None:
        """Return the newest message of a pattern; None where there is none.

        Raises:
            BusUnavailableError: the bus stays away.
        """
        return await self._patiently(lambda: self._get(stream, pattern))

    async def newest_read(
        self, pattern: str, parse: Callable[[Entry], T | None]
    ) -> tuple[T | None, int]:
        """Return what the newest message says that says something, and where the newest one lies.

        Messages that say nothing are those of programs that are not ours; they count for what a
        write is conditioned on.

        Raises:
            BusUnavailableError: the bus stays away.
        """
        newest = await self.newest(pattern)
        if newest is None:
            return None, 0
        found = parse(newest)
        if found is None:
            read = [one for entry in await self.all(pattern) if (one := parse(entry)) is not None]
            found = read[-1] if read else None
        return found, newest.sequence

    async def newest_of_each(
        self, *patterns: str, stream: str = COORDINATION_STREAM
    ) -> list[Entry]:
        """Return the newest message of each subject, in the order of the stream.

        Raises:
            BusUnavailableError: the bus stays away.
        """
        found = await self._patiently(lambda: self._reader_of(stream).newest(patterns))
        return [entry_of(one) for one in found]

    async def all(self, *patterns: str, start: int = 1) -> list[Entry]:
        """Return the messages of some patterns from a sequence on, in the order of the stream.

        Raises:
            BusUnavailableError: the bus stays away.
        """

        async def read() -> list[Delivery]:
            deliveries = self._reader.deliveries(start=start, subjects=patterns)
            return [one async for one in deliveries]

        return [entry_of(one) for one in await self._patiently(read)]

    async def follow(self, *patterns: str, start: int) -> AsyncGenerator[Entry, None]:
        """Yield messages from a sequence on as they come, across absences of the bus."""
        async for one in self._reader.deliveries(start=start, follow=True, subjects=patterns):
            yield entry_of(one)

    async def end(self) -> int:
        """Return the last sequence of the stream.

        Raises:
            BusUnavailableError: the bus stays away.
        """
        return await self._patiently(lambda: self._reader.end_of_stream())

    async def write(
        self,
        payload: Payload,
        pattern: str,
        expected: int,
        *,
        because: Iterable[str] = (),
        labels: Mapping[str, str] | None = None,
    ) -> Written:
        """Store an event about one thing, if nothing was stored about it since.

        Args:
            payload: what happens to it.
            pattern: all subjects of the thing, or the one subject that only this agent writes on.
            expected: last sequence on them; 0: there is none.
            because: ids of the events that led to it.
            labels: more attributes.

        Raises:
            WrongSequenceError: somebody else has written meanwhile; nothing was stored.
            PublishTimeoutError: the bus stays away; the outcome is unknown.
            PublishRejectedError: the bus refuses it for good.
        """
        event = self._build(payload, because, labels)
        self._redact(event)
        subject = pattern
        if pattern.endswith("*"):
            subject = places.written_by(pattern, self.author.agent)
        sequence = await self._publisher.publish(
            event, subject, expected, pattern=pattern, timeout=self.patience
        )
        redacted = sum(event.redactions.values())
        return Written(sequence=sequence, event_id=event.event_id, redacted=redacted, event=event)

    async def tell(
        self, payload: Payload, subject: str, labels: Mapping[str, str], *, has_text: bool
    ) -> None:
        """Store something about this agent, once, whatever was stored about it before.

        Args:
            payload: what it says.
            subject: where.
            labels: more attributes.
            has_text: what it says may hold a secret; looking for one takes its time.

        Raises:
            BusUnavailableError: no ack came; the bus is away, or does not let this agent say so.
        """
        event = self._build(payload, (), labels)
        if has_text:
            self._redact(event)
        with translated("tell", self._servers):
            await self._jetstream.publish(
                subject,
                events.encode(event),
                timeout=TELL_SECONDS,
                headers={MESSAGE_ID_HEADER: event.event_id},
            )

    def _build(
        self, payload: Payload, because: Iterable[str], labels: Mapping[str, str] | None
    ) -> SwarmEvent:
        author, link = self.author, self.author.link
        handed_down = link.caused_by if link else ()
        return events.build(
            payload,
            role=author.role,
            agent_id=author.agent,
            run_id=author.run_id,
            trace_id=link.trace_id if link else "",
            span_id=link.span_id if link else "",
            caused_by=list(dict.fromkeys([*because, *handed_down])),
            attributes={"project": author.project, **(author.labels or {}), **(labels or {})},
        )

    async def _get(self, stream: str, subject: str) -> Entry | None:
        with translated("read", self._servers):
            try:
                found = await self._jetstream.get_msg(stream, subject=subject)
            except nats.js.errors.NotFoundError as error:
                if error.err_code == _NO_MESSAGE:
                    return None
                reason = f"no stream {stream}"
                raise BusUnavailableError(servers=self._servers, reason=reason) from error
            except nats.js.errors.APIError as error:
                reason = str(error.description or error)
                raise BusUnavailableError(servers=self._servers, reason=reason) from error
        at = found.time or EPOCH
        return _entry(found.subject or "", int(found.seq or 0), at, found.data or b"")

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """Repeat a read while the bus is away, up to `patience` seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.patience
        while True:
            try:
                return await call()
            except BusUnavailableError:
                if loop.time() >= deadline:
                    raise
            await asyncio.sleep(RETRY_SECONDS)


_NO_MESSAGE = 10037
"""The server's code for a subject without a message; a missing stream has another."""


def entry_of(delivery: Delivery) -> Entry:
    """Return what a delivery of the stream holds."""
    return _entry(delivery.subject, delivery.sequence, delivery.stored_at, delivery.raw)


def _entry(subject: str, sequence: int, at: datetime, raw: bytes) -> Entry:
    try:
        event = events.decode(raw, subject=subject, sequence=sequence)
    except EventDecodeError:
        event = None
    return Entry(sequence=sequence, subject=subject, event=event, agent=_agent_of(subject), at=at)


def _agent_of(subject: str) -> str:
    try:
        return unescape_token(subject.rpartition(".")[2])
    except InvalidEventError:
        return ""


@asynccontextmanager
async def open_shared_log(
    url: str, author: Author, *, redact: Redact, name: str = "swarm-project"
) -> AsyncIterator[SharedLog]:
    """Connect to the stream of coordination.

    Raises:
        BusUnavailableError: no server answers.
    """
    servers = redact_url(url)
    async with (
        open_nats(url, name=name) as client,
        open_conditional_publisher(
            client, client.jetstream(), stream=COORDINATION_STREAM, servers=servers
        ) as publisher,
    ):
        yield SharedLog(client, publisher, author, servers=servers, redact=redact)
