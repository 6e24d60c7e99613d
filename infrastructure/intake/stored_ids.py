"""Which events of an agent the stream holds: for whoever cannot know what was stored before."""

from datetime import UTC, datetime

import nats.errors
from nats.js import JetStreamContext, api

from nervous_system.comms.connection import describe, translated
from nervous_system.comms.frames import MESSAGE_ID_HEADER
from nervous_system.comms.streams import EVENTS_STREAM
from nervous_system.errors import BusUnavailableError
from nervous_system.subjects import EVENTS_PREFIX, escape_token

FETCH_COUNT = 500
FETCH_SECONDS = 5.0
IDLE_SECONDS = 30.0


async def stored_ids(
    jetstream: JetStreamContext, servers: str, agent_id: str, *, since: datetime | None = None
) -> set[str]:
    """Return the ids of the events of an agent in the stream; only headers are read.

    Args:
        jetstream: of the connection.
        servers: where it leads, for errors.
        agent_id: whose events.
        since: those that were stored from then on; None: all.

    Raises:
        BusUnavailableError: the bus is away.
    """
    pattern = f"{EVENTS_PREFIX}.*.*.{escape_token(agent_id)}"
    try:
        with translated("lookup", servers):
            return await _scan(jetstream, pattern, since)
    except nats.errors.Error as error:
        raise BusUnavailableError(servers=servers, reason=describe(error)) from error


async def _scan(jetstream: JetStreamContext, pattern: str, since: datetime | None) -> set[str]:
    policy = api.DeliverPolicy.BY_START_TIME if since else api.DeliverPolicy.ALL
    consumer = await jetstream.add_consumer(
        EVENTS_STREAM,
        api.ConsumerConfig(
            deliver_policy=policy,
            opt_start_time=since.astimezone(UTC) if since else None,
            ack_policy=api.AckPolicy.NONE,
            filter_subject=pattern,
            headers_only=True,
            inactive_threshold=IDLE_SECONDS,
            mem_storage=True,
        ),
    )
    reader = await jetstream.pull_subscribe_bind(consumer.name, EVENTS_STREAM)
    found: set[str] = set()
    try:
        remaining = consumer.num_pending or 0
        while remaining > 0:
            for message in await reader.fetch(min(FETCH_COUNT, remaining), FETCH_SECONDS):
                remaining -= 1
                found.add((message.headers or {}).get(MESSAGE_ID_HEADER, ""))
    finally:
        await reader.unsubscribe()
    return found
