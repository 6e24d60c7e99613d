"""Contents by digest: from history, or from the bus where history does not have them yet."""

import asyncio
from collections.abc import Iterator, Sequence

from cortex.cli.places import bus_url
from cortex.cli.session import Session
from infrastructure.history.blobs import Blobs
from infrastructure.history.client import HistoryClient
from nervous_system.comms.open import open_bus
from nervous_system.config import BusConfig
from nervous_system.errors import ContentMissingError

BUS_CONTENTS = 16
"""Contents fetched from the bus at once; they are held in memory."""


def contents(
    session: Session, history: HistoryClient, digests: Sequence[str], missing: list[str]
) -> Iterator[tuple[str, bytes]]:
    """Yield digest and bytes of each content that is kept; the others are added to `missing`.

    Contents move from the bus into history meanwhile: what was on neither side when it was looked
    for there is looked for in history once more.
    """
    blobs = Blobs(history)
    known = blobs.known(digests)
    for digest in sorted(known):
        yield digest, blobs.get(digest)
    rest = sorted(set(digests) - known)
    for start in range(0, len(rest), BUS_CONTENTS):
        wanted = rest[start : start + BUS_CONTENTS]
        on_bus = asyncio.run(_from_bus(session, wanted))
        yield from on_bus.items()
        for digest in sorted(set(wanted) - set(on_bus)):
            if blobs.exists(digest):
                yield digest, blobs.get(digest)
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
