"""Opens the bus as an agent sees it: publisher, reader, content store."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from nats.js import JetStreamContext

from nervous_system.comms.commit import GroupCommitter, open_committer
from nervous_system.comms.connection import BusClient, open_nats, redact_url
from nervous_system.comms.contracts import Publisher
from nervous_system.comms.entry import CommitLimits, MakeTombstone
from nervous_system.comms.lookup import StreamLookup
from nervous_system.comms.objects import BusContentStore
from nervous_system.comms.outbox import open_outbox
from nervous_system.comms.reader import StreamReader
from nervous_system.comms.streams import EVENTS_STREAM
from nervous_system.config import BusConfig

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bus:
    """An open bus."""

    publisher: Publisher
    """All three ways to wait where there is a spool, otherwise only `Wait.ACK`."""
    reader: StreamReader
    content: BusContentStore
    committer: GroupCommitter
    js: JetStreamContext
    """nats-py's JetStream context, for what has no wrapper here."""
    nc: BusClient
    """nats-py's client."""

    @property
    def max_payload(self) -> int:
        """Largest message with its headers that the server takes, in bytes; 0 while not known."""
        return int(self.nc.max_payload) if self.nc.is_connected else 0


@asynccontextmanager
async def open_bus(
    config: BusConfig,
    *,
    make_tombstone: MakeTombstone | None = None,
    is_required: bool | None = None,
    limits: CommitLimits | None = None,
    stream: str = EVENTS_STREAM,
) -> AsyncIterator[Bus]:
    """Connect; at the end wait up to `close_timeout` for acks, keep the rest in the spool, close.

    Args:
        config: Where the bus is, and the spool.
        make_tombstone: Builds what takes the place of a numbered event that the server refuses.
        is_required: Raise when no server answers. By default only where there is no spool.
        limits: Of what may be under way; by default with the stream's own duplicate window.
        stream: The stream that is published to and read.

    Raises:
        BusUnavailableError: no server answered within `connect_timeout`.
    """
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            open_nats(
                config.url,
                name=config.name,
                timeout=config.connect_timeout.total_seconds(),
                is_required=config.spool is None if is_required is None else is_required,
            )
        )
        servers = redact_url(config.url)
        jetstream = client.jetstream()
        lookup = StreamLookup(jetstream, stream, servers)
        if limits is None:
            window = await lookup.duplicate_window() if client.is_connected else 0.0
            limits = CommitLimits(duplicate_window=window)
        committer = await stack.enter_async_context(
            open_committer(client, lookup, limits=limits, make_tombstone=make_tombstone)
        )
        close_timeout = config.close_timeout.total_seconds()
        publisher: Publisher = committer
        if config.spool is not None:
            publisher = await stack.enter_async_context(
                open_outbox(committer, lookup, config.spool, close_timeout=close_timeout)
            )
        yield Bus(
            publisher=publisher,
            reader=StreamReader(client, jetstream, servers=servers, stream=stream),
            content=BusContentStore(jetstream, servers=servers, client=client),
            committer=committer,
            js=jetstream,
            nc=client,
        )
        if config.spool is None:
            await committer.drain(close_timeout)
