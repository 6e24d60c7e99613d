"""Sessions mirrored onto a bus of a test, and what lies in its stream afterwards."""

import asyncio
import contextlib
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from infrastructure.intake.sessions.cursor import MARK
from infrastructure.intake.sessions.mirror import Mirrored, MirrorOptions, SourceMirror
from infrastructure.intake.sessions.store import SessionStore, open_session_store
from infrastructure.intake.sessions.units import Redaction
from nervous_system.comms.open import Bus, open_bus
from nervous_system.comms.streams import declare_content_bucket
from nervous_system.config import BusConfig
from nervous_system.schemas import SwarmEvent
from tests.support.ingesting import open_streams
from tests.support.servers import NatsServer
from tests.support.transcripts import no_key

MIRROR_PROGRAM = """
import asyncio, sys
from pathlib import Path
from tests.support.mirrored import connect_store, mirror_once

async def main():
    async with connect_store(sys.argv[1]) as (_, store):
        await mirror_once(store, Path(sys.argv[2]))

asyncio.run(main())
"""
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Swarm:
    """A bus with streams, and a store of sessions on it."""

    url: str
    bus: Bus
    store: SessionStore

    async def events(self) -> list[SwarmEvent]:
        """Return all events of the stream, cursors left out."""
        stored = [one.event async for one in self.bus.reader.replay()]
        return [one for one in stored if one.session_mark.mark_type != MARK]

    async def lines(self) -> list[bytes]:
        """Return the lines in the order in which they were stored."""
        return [
            one.session_line.line_bytes
            for one in await self.events()
            if one.HasField("session_line")
        ]

    async def repeated_ids(self) -> list[str]:
        """Return ids that the stream holds more than once."""
        counted = Counter(one.event_id for one in await self.events())
        return [event_id for event_id, count in counted.items() if count > 1]


@asynccontextmanager
async def open_swarm(server: NatsServer) -> AsyncIterator[Swarm]:
    async with open_streams(server) as jetstream:
        await declare_content_bucket(jetstream, max_bytes=64 * 1024 * 1024)
    async with connect_store(server.url) as (bus, store):
        yield Swarm(server.url, bus, store)


@asynccontextmanager
async def connect_store(url: str) -> AsyncIterator[tuple[Bus, SessionStore]]:
    async with (
        open_bus(BusConfig(url=url, name="test-sessions")) as bus,
        open_session_store(bus, bus.content, url) as store,
    ):
        yield bus, store


def options(*, is_following: bool = False, is_on: bool = True) -> MirrorOptions:
    return MirrorOptions(redaction=Redaction(no_key, is_on), is_following=is_following)


async def mirror_once(store: SessionStore, path: Path, *, is_on: bool = True) -> list[Mirrored]:
    return await SourceMirror(path, store, options(is_on=is_on)).run()


@asynccontextmanager
async def following(store: SessionStore, path: Path) -> AsyncIterator[SourceMirror]:
    """Follow a transcript for as long as the block runs."""
    mirror = SourceMirror(path, store, options(is_following=True))
    running = asyncio.create_task(mirror.run())
    try:
        yield mirror
    finally:
        mirror.stop()
        await running


@asynccontextmanager
async def mirroring_process(url: str, path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Mirror a transcript in a process of its own, ended whatever happens."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", MIRROR_PROGRAM, url, str(path), cwd=ROOT
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
