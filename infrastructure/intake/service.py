"""The intake as it runs beside the ingestor: receiver, spans and content into history, hooks."""

import asyncio
import contextlib
import functools
import itertools
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from uuid import uuid4

import nats.js.errors
from nats.js import JetStreamContext

from infrastructure.errors import HistoryError, PortTakenError
from infrastructure.history.blobs import drain_content
from infrastructure.history.client import HistoryClient, open_history
from infrastructure.history.owner.http1 import Request, Server, serve
from infrastructure.intake.config import IntakeConfig
from infrastructure.intake.hooks.desk import HookDesk, PublishEvents
from infrastructure.intake.metrics import IntakeMetrics
from infrastructure.intake.receiver import MAX_BODY_BYTES, Publish, Receiver
from infrastructure.intake.shard import SpanShard
from infrastructure.intake.stored_ids import stored_ids
from nervous_system.comms.connection import open_nats, redact_url, translated
from nervous_system.comms.contracts import Outgoing, Publisher, Wait
from nervous_system.comms.objects import BusContentStore
from nervous_system.comms.open import open_bus
from nervous_system.config import BusConfig, use_configured_patterns
from nervous_system.errors import PublishRejectedError
from nervous_system.events import encode, kind_of
from nervous_system.schemas import SwarmEvent
from nervous_system.subjects import subject_for

SUBJECT = "swarm.spans.otlp"
PUBLISH_TIMEOUT_SECONDS = 5.0
MAX_IN_FLIGHT = 16
"""Messages published at once; each is at most a megabyte or one large span."""
DRAIN_SECONDS = 5.0
_RETRY_SECONDS = 0.5
_log = logging.getLogger(__name__)


def intake_companions(
    environment: Mapping[str, str],
) -> list[Callable[[asyncio.Event], Awaitable[None]]]:
    """Return what runs beside an ingestor: the intake, where `SWARM_OTLP_PORT` asks for it.

    Of several ingestors on one machine only one can listen there, and one is enough.

    Raises:
        ConfigError: a setting is missing or cannot be used.
    """
    if not environment.get("SWARM_OTLP_PORT"):
        return []
    config = IntakeConfig.from_env(environment)
    if config.home is not None:
        use_configured_patterns(environment, config.home)
    return [functools.partial(run_intake, config)]


async def run_intake(
    config: IntakeConfig, stop: asyncio.Event, bound: "asyncio.Future[int] | None" = None
) -> None:
    """Receive OTLP and keep history supplied until `stop` is set.

    Args:
        config: where to listen and where things go.
        stop: ends it; what was answered with 200 is in the stream already.
        bound: gets the port that is listened on.

    Raises:
        HistoryAheadError: history belongs to another stream of spans.
        PortTakenError: the port cannot be listened on.
    """
    metrics = IntakeMetrics()
    async with contextlib.AsyncExitStack() as stack:
        connection = await stack.enter_async_context(
            open_nats(config.nats_url, name="intake", is_required=False)
        )
        jetstream = connection.jetstream()
        servers = redact_url(config.nats_url)
        publish = span_publisher(jetstream, servers)
        desk = await _open_desk(config, stack)
        receiver = Receiver(
            publish,
            metrics,
            is_redacting=config.is_redacting,
            hooks=desk.handle if desk is not None else None,
        )
        server = await _serve(receiver, config)
        stack.push_async_callback(server.close, DRAIN_SECONDS)
        if desk is not None:
            await stack.enter_async_context(_running(desk, stop))
        if bound is not None:
            bound.set_result(server.port)
        client = await _open_history(config, stop, stack)
        if client is None:
            return
        shard = SpanShard(jetstream, client, metrics, servers=servers)
        content = BusContentStore(jetstream, servers=servers)
        async with asyncio.TaskGroup() as group:
            group.create_task(shard.run(stop))
            group.create_task(drain_content(content, client, stop))


def _body_limit(request: Request) -> int:
    del request
    return MAX_BODY_BYTES


async def _serve(receiver: Receiver, config: IntakeConfig) -> Server:
    try:
        return await serve(receiver.handle, config.host, config.port, _body_limit)
    except OSError as error:
        raise PortTakenError(
            host=config.host,
            port=config.port,
            variable="SWARM_OTLP_PORT",
            reason=os.strerror(error.errno) if error.errno else str(error),
        ) from error


async def _open_desk(config: IntakeConfig, stack: contextlib.AsyncExitStack) -> HookDesk | None:
    """Return what takes hooks, with a connection of its own: the ingestor publishes no events."""
    if not config.hooks_nats_url or config.home is None:
        return None
    bus = await stack.enter_async_context(
        open_bus(BusConfig(url=config.hooks_nats_url, name="hooks"), is_required=False)
    )
    return HookDesk(
        event_publisher(bus.publisher),
        functools.partial(stored_since, bus.js, redact_url(config.hooks_nats_url)),
        config.home,
        is_redacting=config.is_redacting,
    )


async def stored_since(
    jetstream: JetStreamContext, servers: str, agent_id: str, since: datetime
) -> set[str]:
    """Return the ids of an agent's events that were stored from a time on."""
    return await stored_ids(jetstream, servers, agent_id, since=since)


@contextlib.asynccontextmanager
async def _running(desk: HookDesk, stop: asyncio.Event) -> AsyncIterator[None]:
    """Send what hooks have kept as long as the block lasts."""
    task = asyncio.create_task(desk.run(stop), name="hooks")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


def event_publisher(publisher: Publisher) -> PublishEvents:
    """Return what publishes events in order."""
    lane = f"hooks-{uuid4()}"
    numbers = itertools.count(1)

    async def publish(events: Sequence[SwarmEvent]) -> None:
        outgoing = [
            Outgoing(
                subject=subject_for(event.agent_role, kind_of(event), event.agent_id),
                payload=encode(event),
                event_id=event.event_id,
                emitter_id=lane,
                emitter_seq=next(numbers),
            )
            for event in events
        ]
        submitted = (publisher.submit(one, Wait.ACK, PUBLISH_TIMEOUT_SECONDS) for one in outgoing)
        outcomes = await asyncio.gather(*submitted, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    return publish


async def _open_history(
    config: IntakeConfig, stop: asyncio.Event, stack: contextlib.AsyncExitStack
) -> HistoryClient | None:
    """Open history, however long it takes to come; None: asked to stop before it did."""
    while not stop.is_set():
        opening = open_history(config.history)
        try:
            client = await asyncio.to_thread(opening.__enter__)
        except HistoryError as error:  # away, starting, or out of breath: each passes
            _log.warning("history is away", extra={"action": "history_away", "reason": str(error)})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RETRY_SECONDS):
                    await stop.wait()
            continue
        stack.push(opening)
        return client
    return None


def span_publisher(jetstream: JetStreamContext, servers: str) -> Publish:
    """Return what publishes messages to the stream of spans.

    The digest of a message is its id: an exporter that repeats a request whose answer it missed
    stores its spans once.
    """
    places = asyncio.Semaphore(MAX_IN_FLIGHT)

    async def publish_one(message: bytes) -> None:
        async with places:
            digest = sha256(message).hexdigest()
            try:
                with translated("publish spans", servers):
                    await jetstream.publish(
                        SUBJECT,
                        message,
                        timeout=PUBLISH_TIMEOUT_SECONDS,
                        headers={"Nats-Msg-Id": digest},
                    )
            except nats.js.errors.APIError as error:
                raise PublishRejectedError(
                    subject=SUBJECT,
                    event_id=digest,
                    code=int(error.err_code or 0),
                    description=str(error.description),
                ) from error

    async def publish(messages: Sequence[bytes]) -> None:
        outcomes = await asyncio.gather(*map(publish_one, messages), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    return publish
