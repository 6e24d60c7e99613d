"""A durable subscription: each event goes to a callback and is acked when that returns.

Its position outlives both sides. A pull consumer underneath, so nothing piles up here that is not
being worked on. A callback that raises gets the event again after a growing delay; a message that
is no event is never delivered again (history keeps it). While a callback works, the server is told
that its messages are in progress.
"""

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import nats.errors
import nats.js.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext, api

from nervous_system import events
from nervous_system.comms.connection import translated
from nervous_system.comms.contracts import Delivery
from nervous_system.comms.reader import delivery_of, parse_origin
from nervous_system.comms.running import end_task
from nervous_system.errors import BusUnavailableError, ConsumerLostError, EventDecodeError
from nervous_system.schemas import SwarmEvent

logger = logging.getLogger(__name__)

Callback = Callable[[SwarmEvent, Delivery], Awaitable[None] | None]

ACK_WAIT_SECONDS = 30.0
FETCH_COUNT = 64
FETCH_SECONDS = 2.0
RETRY_SECONDS = 0.25
MAX_ACK_PENDING = 1_000
MAX_REDELIVERY_SECONDS = 60.0


class PersistentSubscription:
    """A running subscription. Made by `MessageBus.subscribe_persistent`."""

    def __init__(self, work: "asyncio.Task[None]", durable_name: str) -> None:
        self._work = work
        self.durable_name = durable_name

    async def wait(self) -> None:
        """Return when the subscription was stopped.

        Raises:
            ConsumerLostError: the consumer was deleted on the server.
        """
        await asyncio.wait({self._work})
        if not self._work.cancelled():
            self._work.result()

    async def stop(self) -> None:
        """End; an event whose callback is interrupted comes again to the next subscriber."""
        await end_task(self._work)


class DurableReader:
    """Feeds a callback from one durable consumer."""

    def __init__(
        self,
        jetstream: JetStreamContext,
        *,
        servers: str,
        stream: str,
        durable_name: str,
        callback: Callback,
    ) -> None:
        self._jetstream = jetstream
        self._servers = servers
        self._stream = stream
        self._durable_name = durable_name
        self._callback = callback

    async def bind(self, subjects: Sequence[str]) -> JetStreamContext.PullSubscription:
        """Return the consumer's subscription, the consumer made if it does not exist.

        Raises:
            BusUnavailableError: the bus is away.
        """
        with translated("subscribe", self._servers):
            try:
                await self._jetstream.consumer_info(self._stream, self._durable_name)
            except nats.js.errors.NotFoundError:
                config = api.ConsumerConfig(
                    durable_name=self._durable_name,
                    ack_policy=api.AckPolicy.EXPLICIT,
                    ack_wait=ACK_WAIT_SECONDS,
                    max_ack_pending=MAX_ACK_PENDING,
                    filter_subjects=list(subjects) or None,
                )
                await self._jetstream.add_consumer(self._stream, config)
            return await self._jetstream.pull_subscribe_bind(self._durable_name, self._stream)

    async def run(self, source: JetStreamContext.PullSubscription) -> None:
        """Fetch and hand over until cancelled.

        Raises:
            ConsumerLostError: the consumer was deleted on the server.
        """
        messages: list[Msg] = []
        try:
            while True:
                messages = await self._fetch(source)
                async with _in_progress(messages):
                    while messages:
                        await self._deliver(messages[0])
                        messages.pop(0)
        finally:
            await asyncio.shield(_give_back(source, messages))

    async def _fetch(self, source: JetStreamContext.PullSubscription) -> list[Msg]:
        try:
            with translated("fetch", self._servers):
                return await source.fetch(FETCH_COUNT, FETCH_SECONDS)
        except BusUnavailableError as error:
            if not isinstance(error.__cause__, nats.errors.TimeoutError):
                await asyncio.sleep(RETRY_SECONDS)
        except nats.js.errors.APIError as error:
            logger.info("fetch refused", extra={"action": "fetch_refused", "reason": str(error)})
            await asyncio.sleep(RETRY_SECONDS)
        await self._check_consumer()
        return []

    async def _check_consumer(self) -> None:
        try:
            with translated("fetch", self._servers):
                await self._jetstream.consumer_info(self._stream, self._durable_name)
        except nats.js.errors.NotFoundError as error:
            raise ConsumerLostError(
                stream=self._stream, consumer=self._durable_name, reason="it was deleted"
            ) from error
        except BusUnavailableError:
            return  # it will be asked again after the next fetch

    async def _deliver(self, message: Msg) -> None:
        delivery = delivery_of(message, parse_origin(message.reply))
        try:
            event = events.decode(delivery.raw)
        except EventDecodeError as error:
            logger.warning(
                "message is not an event",
                extra={
                    "action": "undecodable",
                    "sequence": delivery.sequence,
                    "reason": str(error),
                },
            )
            await message.term()
            return
        try:
            outcome = self._callback(event, delivery)
            if inspect.isawaitable(outcome):
                await outcome
        except Exception:  # a stranger's callback: the event comes again
            logger.warning(
                "callback failed",
                exc_info=True,
                extra={"action": "callback_failed", "sequence": delivery.sequence},
            )
            await message.nak(min(2.0 ** min(delivery.attempt, 10) / 10, MAX_REDELIVERY_SECONDS))
            return
        await message.ack()


async def _give_back(source: JetStreamContext.PullSubscription, messages: list[Msg]) -> None:
    """Let the server hand to others at once what this subscriber has not worked on."""
    with suppress(nats.errors.Error, OSError):
        await source.unsubscribe()
        for message in messages:
            await message.nak()


@asynccontextmanager
async def _in_progress(messages: list[Msg]) -> AsyncIterator[None]:
    """Keep the server from delivering again what is still in the list."""
    ticking = asyncio.create_task(_tick(messages))
    try:
        yield
    finally:
        await end_task(ticking)


async def _tick(messages: list[Msg]) -> None:
    while True:
        await asyncio.sleep(ACK_WAIT_SECONDS / 3)
        for message in tuple(messages):
            await message.in_progress()
