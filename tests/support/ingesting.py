"""A bus with streams, messages in it, and ingestors beside it, in this process or in their own."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from nats.js import JetStreamContext

from infrastructure.history.client import HistoryClient
from infrastructure.history.config import HistoryConfig
from infrastructure.ingestor.config import IngestorConfig
from infrastructure.ingestor.service import IngestorService
from infrastructure.ingestor.wire import WireOptions
from nervous_system.comms.connection import open_nats
from nervous_system.comms.streams import EVENTS_STREAM, declare_streams, swarm_streams
from tests.support.eventually import eventually
from tests.support.servers import NatsServer

SUBJECT = "swarm.events.coder.decision"
STREAM_BYTES = 256 * 1024 * 1024


@asynccontextmanager
async def open_streams(server: NatsServer) -> AsyncIterator[JetStreamContext]:
    """Connect as the operator, with the streams of the swarm declared."""
    async with open_nats(server.url, name="test", timeout=10) as client:
        jetstream = client.jetstream()
        await declare_streams(jetstream, swarm_streams(max_bytes=STREAM_BYTES))
        yield jetstream


async def put(jetstream: JetStreamContext, raws: Iterable[bytes], subject: str = SUBJECT) -> int:
    """Publish messages in order, as they are; return the last one's sequence."""
    last = 0
    for raw in raws:
        last = (await jetstream.publish(subject, raw)).seq
    return last


def ingestor_config(server: NatsServer, dsn: str, **settings: Any) -> IngestorConfig:
    return IngestorConfig(
        wire=WireOptions(url=server.url_of("ingestor") if server.passwords else server.url),
        history=HistoryConfig(dsn=dsn),
        **{"streams": (EVENTS_STREAM,), "port": 0, **settings},
    )


@asynccontextmanager
async def running_service(config: IngestorConfig) -> AsyncIterator[IngestorService]:
    """Run an ingestor in this process; drained at the end."""
    service, stop = IngestorService(config), asyncio.Event()
    running = asyncio.create_task(service.run(stop))
    try:
        yield service
    finally:
        stop.set()
        await running


def sequences(client: HistoryClient) -> list[int]:
    """Return the sequences in history, doubled ones too."""
    rows = client.query("select stream_seq from swarm.events order by stream_seq")
    return [int(row["stream_seq"]) for row in rows]


async def ingested(client: HistoryClient, last: int, timeout: float = 30) -> list[int]:
    """Wait until history has reached `last`; return the sequences in it."""

    async def reached() -> bool:
        found = await asyncio.to_thread(
            client.query, "select max(stream_seq) as highest from swarm.events"
        )
        return int(found[0]["highest"]) >= last

    await eventually(reached, timeout=timeout)
    return await asyncio.to_thread(sequences, client)


@contextmanager
def ingestor_process(
    server: NatsServer, dsn: str, log: Path, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run an ingestor as a process; killed at the end."""
    settings = {
        "SWARM_NATS_URL": server.url,
        "SWARM_CLICKHOUSE_DSN": dsn,
        "SWARM_INGESTOR_PORT": "0",
        "SWARM_INGESTOR_STREAMS": EVENTS_STREAM,
        **environment,
    }
    with log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "infrastructure.ingestor"],
            env={**os.environ, **settings},
            stderr=output,
        )
    try:
        yield child
    finally:
        child.kill()
        child.wait()
