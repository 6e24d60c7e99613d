"""Lays events into the stream, as fast as durable publishing goes."""

from collections.abc import Iterable

from cortex.cli.bench.corpus import Made
from nervous_system.comms.contracts import Outgoing
from nervous_system.comms.entry import Entry
from nervous_system.comms.open import open_bus
from nervous_system.config import BusConfig

DRAIN_SECONDS = 120.0
ANY_ORDER = ""


async def load(nats_url: str, events: Iterable[Made]) -> None:
    """Publish `events` and return when the last one is on disk.

    Raises:
        BusUnavailableError: no bus at `nats_url`.
    """
    async with open_bus(BusConfig(url=nats_url)) as bus:
        committer = bus.committer
        for made in events:
            if not committer.has_room:
                await committer.wait_for_room()
            committer.enqueue(
                Entry(
                    Outgoing(
                        subject=made.subject,
                        payload=made.payload,
                        event_id=made.event_id,
                        emitter_id=ANY_ORDER,
                    )
                )
            )
        await committer.drain(DRAIN_SECONDS)
