"""The bus in four calls, for programs that bring their own events: connect, publish.

Subscribe, close.
"""

import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from nats.js import JetStreamContext

from nervous_system import events
from nervous_system.comms.connection import redact_url
from nervous_system.comms.contracts import Outgoing, Receipt, Wait
from nervous_system.comms.open import Bus, open_bus
from nervous_system.comms.running import create_logged_task
from nervous_system.comms.streams import EVENTS_STREAM
from nervous_system.comms.subscription import Callback, DurableReader, PersistentSubscription
from nervous_system.config import BusConfig
from nervous_system.errors import BusClosedError, InvalidEventError
from nervous_system.schemas import SwarmEvent
from nervous_system.subjects import EVENTS_PREFIX


class MessageBus:
    """The stream of events on the bus at one URL.

        async with MessageBus("nats://127.0.0.1:4222") as bus:
            receipt = await bus.publish_event("architect.decision", event)

    Without `async with`: `await bus.connect()` before and `await bus.close()` after.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._stack = AsyncExitStack()
        self._bus: Bus | None = None
        self._subscriptions: list[PersistentSubscription] = []

    async def connect(self) -> None:
        """Connect; a second call changes nothing.

        Raises:
            BusUnavailableError: no server answers.
        """
        if self._bus is None:
            self._bus = await self._stack.enter_async_context(open_bus(BusConfig(url=self.url)))

    async def publish_event(
        self, topic_suffix: str, payload: SwarmEvent | bytes, *, timeout: float = 5.0
    ) -> Receipt:
        """Publish on `swarm.events.<topic_suffix>`; return when the event is on disk.

        Args:
            topic_suffix: `<role>.<kind>` or `<role>.<kind>.<agent token>`.
            payload: An event, or one already encoded; bytes are stored as they are.
            timeout: Seconds to wait for the ack.

        Raises:
            EventDecodeError: the bytes are not an event.
            InvalidEventError: the event has no id, or the subject cannot be published on.
            PublishTimeoutError: no ack in time; the outcome is unknown, publishing again is safe.
            PublishRejectedError: the server refused it.
            BusClosedError: not connected.
        """
        bus = self._open("publish_event")
        if isinstance(payload, SwarmEvent):
            _check_event_id(payload.event_id)
            event_id, raw = payload.event_id, payload.SerializeToString()
        else:
            event_id, raw = events.decode(payload).event_id, payload
        outgoing = Outgoing(
            subject=f"{EVENTS_PREFIX}.{topic_suffix}", payload=raw, event_id=event_id
        )
        return await bus.committer.submit(outgoing, Wait.ACK, timeout)

    async def subscribe_persistent(
        self, durable_name: str, callback: Callback, *, subjects: Sequence[str] = ()
    ) -> PersistentSubscription:
        """Hand every event to `callback(event, delivery)`, from the first one the stream holds.

        An event counts as handled when the callback returns, also an awaitable one. The position
        is kept on the server under `durable_name`; several subscribers of one name share the work.

        Args:
            durable_name: Letters, digits, `_` and `-`.
            callback: Called with one event after the other.
            subjects: Only these, wildcards allowed; used when the consumer is made.

        Raises:
            BusUnavailableError: the bus is away.
            BusClosedError: not connected.
        """
        bus = self._open("subscribe_persistent")
        reader = DurableReader(
            bus.js,
            servers=redact_url(self.url),
            stream=EVENTS_STREAM,
            durable_name=durable_name,
            callback=callback,
        )
        source = await reader.bind(subjects)
        work = create_logged_task(reader.run(source), f"subscription {durable_name}")
        subscription = PersistentSubscription(work, durable_name)
        self._subscriptions.append(subscription)
        return subscription

    async def close(self) -> None:
        """Stop subscriptions, wait for acks under way, disconnect.

        A second call changes nothing.
        """
        while self._subscriptions:
            await self._subscriptions.pop().stop()
        self._bus = None
        await self._stack.aclose()

    @property
    def js(self) -> JetStreamContext:
        """nats-py's JetStream context, for what has no call here.

        Raises:
            BusClosedError: not connected.
        """
        return self._open("js").js

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def _open(self, operation: str) -> Bus:
        if self._bus is None:
            raise BusClosedError(operation=operation)
        return self._bus


def _check_event_id(event_id: str) -> None:
    try:
        uuid.UUID(event_id)
    except ValueError as error:
        raise InvalidEventError(field="event_id", reason=f"{event_id!r} is not a UUID") from error
