"""Publishes generated events steadily: `python -m tests.web.bench.stream URL RATE SECONDS`."""

import asyncio
import sys
import time

from cortex.cli.bench.corpus import Corpus
from nervous_system.comms.contracts import Outgoing
from nervous_system.comms.entry import Entry
from nervous_system.comms.open import open_bus
from nervous_system.config import BusConfig

TICK_SECONDS = 0.02
DRAIN_SECONDS = 30.0
ANY_ORDER = ""


async def publish(url: str, rate: int, seconds: float) -> None:
    """Publish `rate` events a second for so many seconds; what is late is caught up with."""
    corpus = Corpus(agents=32).mixed(int(rate * seconds))
    async with open_bus(BusConfig(url=url)) as bus:
        start = time.monotonic()
        for count, made in enumerate(corpus):
            if (early := count / rate - (time.monotonic() - start)) > TICK_SECONDS:
                await asyncio.sleep(early)
            if not bus.committer.has_room:
                await bus.committer.wait_for_room()
            outgoing = Outgoing(
                subject=made.subject,
                payload=made.payload,
                event_id=made.event_id,
                emitter_id=ANY_ORDER,
            )
            bus.committer.enqueue(Entry(outgoing))
        await bus.committer.drain(DRAIN_SECONDS)


if __name__ == "__main__":
    asyncio.run(publish(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
