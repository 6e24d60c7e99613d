"""Reads a stream in order from a sequence on, at full speed, across reconnects.

An ephemeral pull consumer without acks delivers; pull requests are kept in flight as far as the
byte budget allows, so that neither the server nor this process holds more than that. When the
connection, the consumer or a single delivery is lost, a new one begins behind the last message
received: nothing is skipped, nothing comes twice.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from infrastructure.errors import StreamChangedError
from infrastructure.ingestor.protocol import Message, Position, RawBatch, parse_position
from infrastructure.ingestor.stream_api import (
    NANOSECONDS,
    StreamState,
    check_reaches,
    create_consumer,
    drop_consumer,
    first_message,
    stream_state,
)
from infrastructure.ingestor.wire import Wire, WireOptions, open_wire
from nervous_system.errors import BusUnavailableError, ConsumerLostError

logger = logging.getLogger(__name__)

PULL_MESSAGES = 10_000
"""Messages asked for in one pull request."""
OVERHEAD_BYTES = 64 * 1024
"""What headers and subjects may add to the largest payload."""
EXPIRES_SECONDS = 30
HEARTBEAT_SECONDS = 5
SILENCE_SECONDS = 12.0
"""After so long without message, heartbeat or status the consumer is taken for lost."""
FIRST_DELAY_SECONDS = 0.05
LAST_DELAY_SECONDS = 2.0

_NOT_FOUND = 404
_TIMED_OUT = 408
_CONFLICT = 409
_HEARTBEAT = 100
_GONE = ("consumer deleted", "consumer is push based", "leadership change", "server shutdown")


class Feed:
    """One stream, read from a sequence on; made by `open_feed`, to be run by `run`."""

    def __init__(self, options: WireOptions, state: StreamState, start: int, budget: int) -> None:
        self._options = options
        self._identity = state.identity
        self._stream = state.name
        self._next = start
        self._budget = budget
        self._ready = asyncio.Event()
        self._batch = RawBatch()
        self._reply = b""
        self._wire: Wire | None = None
        self._consumer = ""
        self._asked = 0
        self._max_pull_bytes = budget // 2
        self._heard_at = 0.0
        self._lost = asyncio.Event()
        self._failure: BaseException | None = None

    @property
    def is_connected(self) -> bool:
        """Whether a consumer delivers at present."""
        return self._wire is not None

    @property
    def next_sequence(self) -> int:
        """Where reading goes on."""
        return self._next

    def position(self) -> Position | None:
        """Return where the last message received stands; None before the first."""
        return parse_position(self._reply) if self._reply else None

    @property
    def buffered(self) -> int:
        """How many messages wait to be taken."""
        return len(self._batch)

    async def take(self) -> RawBatch:
        """Wait until there are messages and return all of them, in stream order.

        Raises:
            StreamChangedError: the stream was replaced by another of the same name.
            HistoryAheadError: the stream was set back behind what was read of it.
        """
        await self._ready.wait()
        if self._failure is not None:
            raise self._failure
        self._ready.clear()
        batch, self._batch = self._batch, RawBatch()
        self._pull()
        return batch

    async def run(self) -> None:
        """Keep the stream coming until cancelled; what has to do with the connection is retried."""
        delay = FIRST_DELAY_SECONDS
        while True:
            began_at = self._next
            try:
                await self._read()
            except (BusUnavailableError, ConsumerLostError, OSError, TimeoutError) as error:
                logger.warning(
                    "stream interrupted",
                    extra={
                        "action": "feed_interrupted",
                        "stream": self._stream,
                        "next_sequence": self._next,
                        "reason": str(error) or type(error).__name__,
                    },
                )
            if self._next != began_at:
                delay = FIRST_DELAY_SECONDS
            await asyncio.sleep(delay)
            delay = min(2 * delay, LAST_DELAY_SECONDS)

    async def _read(self) -> None:
        """Deliver over one connection until it or its consumer is lost."""
        async with open_wire(self._options) as wire:
            state = await stream_state(wire, self._stream)
            if state.identity != self._identity:
                raise StreamChangedError(expected=self._identity, found=state.identity)
            check_reaches(state, self._next - 1)
            if (last := self.position()) is not None:
                await self._check_continues(wire, last)
            self._consumer = await create_consumer(wire, self._stream, self._next)
            wire.parser.follow(self._stream, self._consumer)
            self._asked = 0
            largest = int(wire.info.get("max_payload", 0)) + OVERHEAD_BYTES
            self._max_pull_bytes = max(largest, self._budget // 2)
            self._lost.clear()
            self._wire = wire
            wire.on_batch, wire.on_status = self._on_batch, self._on_status
            self._heard_at = asyncio.get_running_loop().time()
            self._pull()
            try:
                await self._until_lost(wire)
            finally:
                self._wire = None
                drop_consumer(wire, self._stream, self._consumer)

    def note_end(self, task: "asyncio.Task[None]") -> None:
        """Hand what ended `run` to whoever takes; nobody would wait for the task itself."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = error
            self._ready.set()

    async def _check_continues(self, wire: Wire, last: Position) -> None:
        """Refuse an older copy of the store that has grown past the last message received."""
        found = await first_message(wire, self._stream, last.sequence)
        if found is None or found.sequence != last.sequence:
            return  # removed meanwhile
        if found.stored_us != last.stored_ns // 1000:
            other = f"{self._identity} with another message at {last.sequence}"
            raise StreamChangedError(expected=self._identity, found=other)

    async def _until_lost(self, wire: Wire) -> None:
        loop = asyncio.get_running_loop()
        lost: asyncio.Future[Any] = asyncio.ensure_future(self._lost.wait())
        try:
            while not wire.closed.done() and not self._lost.is_set():
                await asyncio.wait(
                    {lost, wire.closed}, timeout=1.0, return_when=asyncio.FIRST_COMPLETED
                )
                # With the budget used up nothing is asked for, so nothing is heard either.
                if self._asked and loop.time() - self._heard_at > SILENCE_SECONDS:
                    wire.problem = "the consumer is silent"
                    break
        finally:
            lost.cancel()
        raise ConsumerLostError(
            stream=self._stream, consumer=self._consumer, reason=wire.problem or "deleted"
        )

    def _on_batch(self) -> None:
        wire = self._wire
        if wire is None:
            return
        self._heard_at = asyncio.get_running_loop().time()
        parser = wire.parser
        self._asked -= len(parser.batch)
        self._next = parser.batch.sequences[-1] + 1
        self._reply = parser.last_reply
        if self._batch.sequences:
            _extend(self._batch, parser.batch)
            parser.take_batch()
        else:
            self._batch = parser.take_batch()
        self._ready.set()
        self._pull()

    def _pull(self) -> None:
        """Ask for more where the budget has room."""
        wire = self._wire
        if wire is None or self._asked > PULL_MESSAGES:
            return
        # What is asked for already may come to as much as one pull's bytes.
        outstanding = self._max_pull_bytes if self._asked > 0 else 0
        if self._batch.size_bytes and self._batch.size_bytes + outstanding >= self._budget:
            return
        self._asked = max(self._asked, 0) + PULL_MESSAGES
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._consumer}"
        wire.publish(
            subject.encode(), _pull_request(PULL_MESSAGES, self._max_pull_bytes), wire.hot_inbox
        )

    def _on_status(self, message: Message) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        status = message.status
        if status is None or self._wire is None:
            return
        code, text = status
        if code == _HEARTBEAT:
            return
        if code in {_TIMED_OUT, _CONFLICT, _NOT_FOUND} and not text.lower().startswith(_GONE):
            # The request has ended short of what it asked for.
            self._asked -= int(message.header("Nats-Pending-Messages") or 0)
            self._pull()
            return
        self._wire.problem = f"{code} {text}"
        self._lost.set()


@asynccontextmanager
async def open_feed(
    options: WireOptions, state: StreamState, start: int, budget: int
) -> AsyncIterator[Feed]:
    """Read the stream in the background from sequence `start` on.

    Args:
        options: how to reach the bus.
        state: the stream, as it was seen when `start` was chosen.
        start: the first sequence wanted.
        budget: how many bytes of messages may be on their way or wait to be taken.
    """
    feed = Feed(options, state, max(start, 1), budget)
    task = asyncio.create_task(feed.run())
    task.add_done_callback(feed.note_end)
    try:
        yield feed
    finally:
        task.cancel()
        await asyncio.wait({task})


async def read_range(
    options: WireOptions | str,
    stream: str,
    start: int,
    end: int,
    *,
    budget: int = 32 * 1024 * 1024,
) -> AsyncIterator[RawBatch]:
    """Yield the stream's messages from sequence `start` to `end`, both included, in order.

    Ends as well where the stream does: what comes after its last message at the time of the call is
    not waited for.

    Raises:
        BusUnavailableError: no server answers, or it has no such stream.
        StreamChangedError: the stream was replaced meanwhile.
    """
    options = WireOptions(url=options) if isinstance(options, str) else options
    async with open_wire(options) as wire:
        state = await stream_state(wire, stream)
        first = await first_message(wire, stream, max(start, 1))
    if first is None or first.sequence > end:
        return
    async with open_feed(options, state, first.sequence, budget) as feed:
        is_last = False
        while not is_last:
            batch = await feed.take()
            position = feed.position()
            is_last = batch.sequences[-1] >= end or (position is None or not position.pending)
            _cut(batch, end)
            if batch.sequences:
                yield batch


async def look_at_stream(options: WireOptions, stream: str) -> StreamState:
    """Ask once what the server says of a stream.

    Raises:
        BusUnavailableError: no server answers, or it has no such stream.
    """
    async with open_wire(options) as wire:
        return await stream_state(wire, stream)


def _pull_request(messages: int, size_bytes: int) -> bytes:
    return json.dumps(
        {
            "batch": messages,
            "max_bytes": size_bytes,
            "expires": EXPIRES_SECONDS * NANOSECONDS,
            "idle_heartbeat": HEARTBEAT_SECONDS * NANOSECONDS,
        }
    ).encode()


def _extend(batch: RawBatch, more: RawBatch) -> None:
    batch.sequences += more.sequences
    batch.subjects += more.subjects
    batch.payloads += more.payloads
    batch.size_bytes += more.size_bytes


def _cut(batch: RawBatch, end: int) -> None:
    """Drop what lies behind sequence `end`."""
    while batch.sequences and batch.sequences[-1] > end:
        batch.sequences.pop()
        batch.subjects.pop()
        batch.size_bytes -= len(batch.payloads.pop())
