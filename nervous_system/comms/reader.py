"""Reads a stream in order, from a sequence, a time or now, without gaps or repeats.

The position is the last sequence handed out, kept here: whatever happens to connection, server or
consumer, a new consumer is made that starts behind it. No acks are involved. Consumers number what
they deliver; a jump in that number means that messages were lost on the way, and is answered in
the same manner.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import nats.js.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext, api

from nervous_system import events
from nervous_system.comms.connection import BusClient, translated
from nervous_system.comms.contracts import Delivery, StoredEvent
from nervous_system.comms.pulling import Pull, PullEndedError, open_pull
from nervous_system.comms.streams import EVENTS_STREAM
from nervous_system.errors import BusClosedError, BusUnavailableError, EventDecodeError

logger = logging.getLogger(__name__)

FETCH_COUNT = 500
FETCH_SECONDS = 2.0
CONSUMER_IDLE_SECONDS = 60.0
RETRY_SECONDS = 0.25
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

OnUndecodable = Callable[[Delivery, EventDecodeError], None]
NEWEST: Literal["newest"] = "newest"
Start = int | datetime | Literal["newest"]
"""First sequence, time from which on, or with the newest message of each subject."""


def log_undecodable(delivery: Delivery, error: EventDecodeError) -> None:
    """Report a message that is not an event; history keeps it as undecodable."""
    logger.warning(
        "message is not an event",
        extra={
            "action": "undecodable",
            "sequence": delivery.sequence,
            "subject": delivery.subject,
            "reason": error.reason,
        },
    )


class StreamReader:
    """Implements `EventReader` on one stream."""

    def __init__(
        self,
        client: BusClient,
        jetstream: JetStreamContext,
        *,
        servers: str,
        stream: str = EVENTS_STREAM,
        on_undecodable: OnUndecodable = log_undecodable,
    ) -> None:
        self._client = client
        self._jetstream = jetstream
        self._servers = servers
        self._stream = stream
        self._on_undecodable = on_undecodable

    async def replay(
        self,
        *,
        start: int | datetime = 1,
        end: int | None = None,
        follow: bool = False,
        subjects: Sequence[str] = (),
    ) -> AsyncIterator[StoredEvent]:
        """Yield events; messages that are none go to `on_undecodable`.

        Args:
            start: First sequence, or the time from which on messages were stored.
            end: Last sequence; None: what the stream holds when the call is made.
            follow: Go on with what is still to come, across absences of the bus.
            subjects: Only these, wildcards allowed; none given: all.

        Raises:
            BusUnavailableError: the bus is away, unless `follow` is set.
        """
        async for delivery in self.deliveries(
            start=start, end=end, follow=follow, subjects=subjects
        ):
            try:
                event = events.decode(delivery.raw)
            except EventDecodeError as error:
                self._on_undecodable(delivery, error)
                continue
            yield StoredEvent(event=event, delivery=delivery)

    async def live(self, *, subjects: Sequence[str] = ()) -> AsyncIterator[StoredEvent]:
        """Yield events stored from now on."""
        start = await self.end_of_stream() + 1
        async for stored in self.replay(start=start, follow=True, subjects=subjects):
            yield stored

    async def newest(self, subjects: Sequence[str]) -> list[Delivery]:
        """Return the newest message of each subject that matches, in the order of the stream.

        Raises:
            BusUnavailableError: the bus is away.
        """
        while True:
            found: dict[str, Delivery] = {}
            try:
                async for delivery in self._read_once(NEWEST, None, False, subjects):
                    found.pop(delivery.subject, None)  # written again meanwhile
                    found[delivery.subject] = delivery
            except _InterruptedError:
                logger.debug("reading interrupted", extra={"action": "reader_resumes"})
            else:
                return list(found.values())
            if self._client.is_closed:
                raise BusClosedError(operation="newest")

    async def end_of_stream(self) -> int:
        """Return the last sequence that the stream has given out.

        Raises:
            BusUnavailableError: the bus is away.
        """
        with self._reaching("stream info"):
            info = await self._jetstream.stream_info(self._stream)
        return int(info.state.last_seq)

    async def deliveries(
        self,
        *,
        start: int | datetime = 1,
        end: int | None = None,
        follow: bool = False,
        subjects: Sequence[str] = (),
    ) -> AsyncIterator[Delivery]:
        """Yield messages as they are stored, whatever they hold; arguments as those of `replay`.

        Raises:
            BusUnavailableError: the bus is away, unless `follow` is set.
        """
        if end is None and not follow:
            end = await self.end_of_stream()
        position: int | datetime = start
        while end is None or not isinstance(position, int) or position <= end:
            try:
                async for delivery in self._read_once(position, end, follow, subjects):
                    position = delivery.sequence + 1
                    yield delivery
                return
            except _InterruptedError:
                logger.debug("reading interrupted", extra={"action": "reader_resumes"})
            except BusUnavailableError:
                if not follow:
                    raise
                await asyncio.sleep(RETRY_SECONDS)
            if self._client.is_closed:
                raise BusClosedError(operation="replay")

    async def _read_once(
        self, start: Start, end: int | None, follow: bool, subjects: Sequence[str]
    ) -> AsyncIterator[Delivery]:
        """Read with one consumer until the end, or until it has to be replaced."""
        with self._reaching("replay"):
            consumer = await self._jetstream.add_consumer(
                self._stream, _consumer_config(start, subjects)
            )
        pending = consumer.num_pending or 0
        expected = 1
        async with open_pull(
            self._client, self._stream, consumer.name, count=FETCH_COUNT, seconds=FETCH_SECONDS
        ) as pull:
            while follow or pending > 0:
                for message in await self._fetch(pull, consumer.name):
                    origin = parse_origin(message.reply)
                    delivery = delivery_of(message, origin)
                    pending = origin.pending
                    if origin.number != expected:
                        raise _InterruptedError
                    expected += 1
                    if end is not None and delivery.sequence > end:
                        return
                    yield delivery
                    if delivery.sequence == end:
                        return

    @contextmanager
    def _reaching(self, operation: str) -> Iterator[None]:
        """Translate errors; a stream that does not exist is as good as a bus that is away."""
        try:
            with translated(operation, self._servers):
                yield
        except nats.js.errors.NotFoundError as error:
            reason = f"no stream {self._stream}"
            raise BusUnavailableError(servers=self._servers, reason=reason) from error

    async def _fetch(self, pull: Pull, consumer: str) -> list[Msg]:
        """Return messages; after a silence none, if the consumer is still there."""
        try:
            with translated("replay", self._servers):
                messages = await pull.next()
                if not messages:
                    await self._jetstream.consumer_info(self._stream, consumer)
        except (PullEndedError, nats.js.errors.NotFoundError) as error:
            raise _InterruptedError from error
        return messages


class _InterruptedError(Exception):
    """The consumer has to be replaced; nothing is lost."""


def _consumer_config(start: Start, subjects: Sequence[str]) -> api.ConsumerConfig:
    config = api.ConsumerConfig(
        ack_policy=api.AckPolicy.NONE,
        inactive_threshold=CONSUMER_IDLE_SECONDS,
        mem_storage=True,
        filter_subjects=list(subjects) or None,
    )
    if isinstance(start, str):
        config.deliver_policy = api.DeliverPolicy.LAST_PER_SUBJECT
    elif isinstance(start, datetime):
        config.deliver_policy = api.DeliverPolicy.BY_START_TIME
        config.opt_start_time = start.astimezone(UTC)
    else:
        config.deliver_policy = api.DeliverPolicy.BY_START_SEQUENCE
        config.opt_start_seq = max(1, start)
    return config


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a delivered message comes from, as its reply subject tells."""

    stream: str
    attempt: int
    """From 1."""
    sequence: int
    """Position in the stream."""
    number: int
    """What the consumer counts this delivery as, from 1."""
    stored_at: datetime
    """Rounded down, so that reading from this time on begins with this message."""
    pending: int
    """How many are still to come."""


def parse_origin(reply: str) -> Origin:
    """Return what the reply subject of a consumer's delivery says.

    `$JS.ACK.<stream>.<consumer>.<attempt>.<sequence>.<number>.<nanoseconds>.<pending>`, or with
    domain and account before the stream and a random token at the end.
    """
    tokens = reply.split(".")
    stream, _, attempt, sequence, number, nanoseconds, pending = (
        tokens[2:9] if len(tokens) == 9 else tokens[4:11]
    )
    stored_at = EPOCH + timedelta(microseconds=int(nanoseconds) // 1000)
    return Origin(stream, int(attempt), int(sequence), int(number), stored_at, int(pending))


def delivery_of(message: Msg, origin: Origin) -> Delivery:
    """Return what a message of a consumer carries."""
    return Delivery(
        subject=message.subject,
        stream=origin.stream,
        sequence=origin.sequence,
        stored_at=origin.stored_at,
        attempt=origin.attempt,
        raw=message.data,
        headers=message.headers or {},
    )
