"""The intake as it runs beside the ingestor: receiver, spans into history, content into history."""

import asyncio
import contextlib
import functools
import logging
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import sha256

import nats.js.errors
from nats.js import JetStreamContext

from infrastructure.errors import HistoryError, PortTakenError
from infrastructure.history.blobs import drain_content
from infrastructure.history.client import HistoryClient, open_history
from infrastructure.history.owner.http1 import Request, Server, serve
from infrastructure.intake.config import IntakeConfig
from infrastructure.intake.metrics import IntakeMetrics
from infrastructure.intake.receiver import MAX_BODY_BYTES, Publish, Receiver
from infrastructure.intake.shard import SpanShard
from nervous_system.comms.connection import open_nats, redact_url, translated
from nervous_system.comms.objects import BusContentStore
from nervous_system.errors import PublishRejectedError

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
    return [functools.partial(run_intake, IntakeConfig.from_env(environment))]


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
        receiver = Receiver(publish, metrics, is_redacting=config.is_redacting)
        server = await _serve(receiver, config)
        stack.push_async_callback(server.close, DRAIN_SECONDS)
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
