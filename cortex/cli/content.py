"""Contents by digest, from history or, where it does not have them yet, from the bus."""

import asyncio
from collections.abc import Iterator, Sequence

from cortex.cli.places import bus_url
from cortex.cli.session import Session
from infrastructure.history.client import HistoryClient
from nervous_system.comms.open import open_bus
from nervous_system.config import BusConfig
from nervous_system.errors import ContentMissingError

BUS_CONTENTS = 16
"""Contents fetched from the bus at once; they are held in memory."""


def contents(
    session: Session, history: HistoryClient, digests: Sequence[str], missing: list[str]
) -> Iterator[tuple[str, bytes]]:
    """Yield digest and bytes of each content that is kept; the others are added to `missing`."""
    for start in range(0, len(digests), BUS_CONTENTS):
        wanted = digests[start : start + BUS_CONTENTS]
        on_bus = asyncio.run(_from_bus(session, wanted))
        for digest in wanted:
            if digest in on_bus:
                yield digest, on_bus[digest]
            else:
                missing.append(digest)


async def _from_bus(session: Session, digests: Sequence[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    async with open_bus(BusConfig(url=bus_url(session), name="swarm-export")) as bus:
        for digest in digests:
            try:
                found[digest] = await bus.content.get(digest)
            except ContentMissingError:
                continue
    return found
