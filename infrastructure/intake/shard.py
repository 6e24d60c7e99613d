"""From the stream of spans into history, each message exactly once.

As for events: the checkpoint is the data, the insert carries the sequence that it follows, and the
guard refuses it when somebody else was first. Nothing is acknowledged; the reader starts behind
what history holds.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import nats.errors
import nats.js.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from infrastructure.errors import (
    HistoryAheadError,
    HistoryError,
    InsertRejectedError,
    StaleBatchError,
    StreamChangedError,
)
from infrastructure.history.client import HistoryClient
from infrastructure.history.query_text import query_text
from infrastructure.history.refusals import blames_rows
from infrastructure.intake.metrics import IntakeMetrics
from infrastructure.intake.spans import encode_rows
from nervous_system.comms import pausing
from nervous_system.comms.connection import translated
from nervous_system.comms.streams import SPANS_STREAM, stream_identity
from nervous_system.errors import BusError, ConsumerLostError

PARTITION_MESSAGES = 1_000_000
"""A batch ends where the table's partitions do, so that it is one part."""
MAX_BATCH_MESSAGES = 64
"""Messages of one insert; each is at most a megabyte or one large span."""
FETCH_SECONDS = 0.5
EMPTY_FETCHES = 10
"""After so many fetches without a message the server is asked whether it knows the consumer."""
CONSUMER_IDLE_SECONDS = 60.0
LEAVE_SECONDS = 1.0
_FIRST_PAUSE = timedelta(milliseconds=200)
_LONGEST_PAUSE = timedelta(seconds=10)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages that go into history together."""

    messages: Sequence[tuple[int, bytes]]

    @property
    def last(self) -> int:
        """Sequence of the last message."""
        return self.messages[-1][0]


def cut_batches(messages: Sequence[tuple[int, bytes]]) -> list[Batch]:
    """Return the messages in batches that stay within one partition each."""
    batches: list[list[tuple[int, bytes]]] = []
    for message in messages:
        partition = message[0] // PARTITION_MESSAGES
        if not batches or batches[-1][0][0] // PARTITION_MESSAGES != partition:
            batches.append([])
        batches[-1].append(message)
    return [Batch(batch) for batch in batches]


class SpanShard:
    """Brings one stream of spans into history until asked to stop."""

    def __init__(
        self,
        jetstream: JetStreamContext,
        client: HistoryClient,
        metrics: IntakeMetrics,
        *,
        servers: str,
        stream: str = SPANS_STREAM,
    ) -> None:
        self._jetstream = jetstream
        self._client = client
        self._metrics = metrics
        self._servers = servers
        self._stream = stream
        self._identity = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Append, and start again from history after anything that leaves its state in doubt.

        Raises:
            HistoryAheadError: history belongs to another stream, or to a newer copy of this one.
            StreamChangedError: the stream was replaced by another of the same name.
        """
        pause = _FIRST_PAUSE
        while not stop.is_set():
            try:
                await self._append_until(stop)
                pause = _FIRST_PAUSE
            except (HistoryAheadError, StreamChangedError):
                raise
            except StaleBatchError:
                _log.info("another intake was first", extra={"action": "span_batch_stale"})
            except (BusError, HistoryError) as error:
                _log.warning(
                    "spans wait in the stream",
                    extra={"action": "spans_wait", "reason": str(error)},
                )
            await pausing.pause(stop, pause.total_seconds())
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _append_until(self, stop: asyncio.Event) -> None:
        reached = await self._reached()
        try:
            with translated("read spans", self._servers):
                await self._check_belongs(reached)
                subscription = await self._subscribe(reached + 1)
                consumer = (await subscription.consumer_info()).name
                try:
                    await self._follow(subscription, reached, stop)
                finally:
                    await self._leave(subscription, consumer)
        except nats.js.errors.Error as error:
            raise self._lost(str(error)) from error

    async def _subscribe(self, start: int) -> JetStreamContext.PullSubscription:
        return await self._jetstream.pull_subscribe(
            "swarm.spans.>",
            stream=self._stream,
            config=ConsumerConfig(
                ack_policy=AckPolicy.NONE,
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=start,
                inactive_threshold=CONSUMER_IDLE_SECONDS,
                mem_storage=True,
            ),
        )

    async def _leave(self, subscription: JetStreamContext.PullSubscription, consumer: str) -> None:
        """Leave no consumer behind, where the server can still be told."""
        await subscription.unsubscribe()
        with suppress(nats.errors.Error, nats.js.errors.Error, TimeoutError):
            async with asyncio.timeout(LEAVE_SECONDS):
                await self._jetstream.delete_consumer(self._stream, consumer)

    async def _follow(
        self, subscription: JetStreamContext.PullSubscription, reached: int, stop: asyncio.Event
    ) -> None:
        """Append what the consumer delivers; the first gap in its own count ends it."""
        delivered = 0
        empty = 0
        while not stop.is_set():
            found = await self._fetch(subscription)
            empty = 0 if found else empty + 1
            if empty == EMPTY_FETCHES:
                await subscription.consumer_info()  # raises where the server has forgotten it
                empty = 0
            for message in found:
                delivered += 1
                if message.metadata.sequence.consumer != delivered:
                    # Nothing is acked: what a broken connection swallowed never comes again.
                    raise self._lost("messages were lost on the way")
            for batch in cut_batches([(_sequence(one), one.data) for one in found]):
                reached = await self._append(batch, reached)

    async def _fetch(self, subscription: JetStreamContext.PullSubscription) -> list[Msg]:
        try:
            return await subscription.fetch(MAX_BATCH_MESSAGES, timeout=FETCH_SECONDS)
        except nats.errors.TimeoutError:
            return []

    def _lost(self, reason: str) -> ConsumerLostError:
        return ConsumerLostError(stream=self._stream, consumer="spans", reason=reason)

    async def _append(self, batch: Batch, previous: int) -> int:
        """Insert a batch behind `previous` and return what history has reached after it.

        Where the engine refuses what is in it, halves of it go in alone; a single message that is
        refused is kept as one that cannot be decoded, and holds up no other.
        """
        try:
            return await self._insert(batch, previous)
        except InsertRejectedError as error:
            if not blames_rows(error):
                raise
            if len(batch.messages) == 1:
                _log.warning(
                    "spans refused",
                    extra={
                        "action": "spans_undecodable",
                        "sequence": batch.last,
                        "reason": str(error),
                    },
                )
                return await self._insert(batch, previous, is_refused=True)
        middle = len(batch.messages) // 2
        reached = await self._append(Batch(batch.messages[:middle]), previous)
        return await self._append(Batch(batch.messages[middle:]), reached)

    async def _insert(self, batch: Batch, previous: int, *, is_refused: bool = False) -> int:
        body = await asyncio.to_thread(
            encode_rows, self._stream, batch.messages, previous, is_refused=is_refused
        )
        await asyncio.to_thread(
            self._client.insert_raw, "swarm.spans_input", body, input_format="JSONEachRow"
        )
        reached = await self._reached()
        self._metrics.reached(reached)
        if reached != batch.last:
            raise StaleBatchError(
                table="swarm.spans",
                row_count=len(batch.messages),
                code=0,
                reason=f"history is at {reached}, expected {batch.last}",
            )
        return reached

    async def _reached(self) -> int:
        rows = await asyncio.to_thread(
            self._client.query, query_text("span_checkpoint"), {"stream": self._stream}
        )
        return int(rows[0]["highest"])

    async def _check_belongs(self, reached: int) -> None:
        info = await self._jetstream.stream_info(self._stream)
        found = stream_identity(info)
        if reached and self._identity and found != self._identity:
            raise StreamChangedError(expected=self._identity, found=found)
        self._identity = found
        if reached > info.state.last_seq:
            raise HistoryAheadError(
                stream=self._stream,
                history_sequence=reached,
                stream_sequence=info.state.last_seq,
            )


def _sequence(message: Msg) -> int:
    return int(message.metadata.sequence.stream)
