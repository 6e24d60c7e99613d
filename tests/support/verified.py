"""A small swarm to tamper with: a stream on a real server, its history, its noted heads."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from nats.js import JetStreamContext

from infrastructure.history.client import HistoryClient
from infrastructure.history.verify.bus_source import BusSource
from infrastructure.history.verify.heads import format_note
from infrastructure.history.verify.repair import RepairOutcome, repair
from infrastructure.history.verify.scope import Wanted
from infrastructure.history.verify.service import Verification, VerifyRequest, verify
from infrastructure.ingestor.ledger import Head
from nervous_system.comms.connection import BusClient, open_nats
from nervous_system.comms.streams import (
    CHECKPOINTS_STREAM,
    EVENTS_STREAM,
    StreamConfig,
    declare_streams,
    stream_identity,
)
from tests.support.ledgered import Appender

STREAMS = (
    StreamConfig(name=EVENTS_STREAM, subjects=("swarm.events.>",), max_bytes=1 << 28),
    StreamConfig(name=CHECKPOINTS_STREAM, subjects=("swarm.checkpoints.>",), max_bytes=1 << 26),
)


@dataclass(slots=True)
class SmallSwarm:
    """Stream, history and noted heads that belong together."""

    url: str
    client: BusClient
    js: JetStreamContext
    history: HistoryClient
    appender: Appender
    messages: list[tuple[int, str, bytes]]

    async def publish(self, events: Sequence[tuple[str, bytes]]) -> None:
        """Publish events; they are not in history yet."""
        for subject, raw in events:
            ack = await self.js.publish(subject, raw)
            self.messages.append((ack.seq, subject, raw))

    async def ingest(self, size: int = 20) -> None:
        """Append what history does not have, in batches of `size`, and note the heads."""
        reached, noted = self.appender.head.sequence, len(self.appender.heads)
        waiting = [message for message in self.messages if message[0] > reached]
        await asyncio.to_thread(self.appender.append_all, waiting, size)
        for head in self.appender.heads[noted:]:
            await self.note(head)

    async def note(self, head: Head, signature: str = "") -> None:
        """Note a head as the ingestor does."""
        if signature:
            await BusSource(self.url, self.client).note(head, signature)
        else:
            await self.js.publish(f"swarm.checkpoints.{head.stream}", format_note(head))

    def alter(self, statement: str) -> None:
        """Tamper with history."""
        self.history.command(statement, settings={"mutations_sync": "1"})

    async def verify(self, **request: Any) -> Verification:
        """Verify, by default everything."""
        source = BusSource(self.url, self.client)
        return await verify(self.history, source, VerifyRequest(**request))

    async def repair(self) -> RepairOutcome:
        """Repair what a verification of everything finds."""
        source = BusSource(self.url, self.client)
        return await repair(self.history, source, await self.verify())

    async def problems(self, **request: Any) -> list[tuple[str, int]]:
        """Return kind and sequence of each problem, in the order in which they are shown."""
        report = (await self.verify(**request)).report.as_json()
        assert report["ok"] is not bool(report["problems"])
        return [(problem["kind"], problem["sequence"]) for problem in report["problems"]]

    async def unproven(self, **request: Any) -> set[str]:
        """Return the kinds of what could not be proven."""
        report = (await self.verify(**request)).report.as_json()
        return {item["kind"] for item in report["unproven"]}


@asynccontextmanager
async def small_swarm(url: str, history: HistoryClient) -> AsyncIterator[SmallSwarm]:
    """Declare the streams on an empty server; history must be migrated and empty."""
    async with open_nats(url, name="test") as client:
        js = client.jetstream()
        found = await declare_streams(js, STREAMS)
        identity = stream_identity(found[EVENTS_STREAM])
        yield SmallSwarm(url, client, js, history, Appender(history, identity), [])


def between(first: int, last: int) -> Wanted:
    """Return the wish for a range."""
    return Wanted(first=first, last=last)
