"""Fixtures of the bus: a connection to a real nats-server with the streams declared."""

from collections.abc import AsyncIterator

import pytest

from nervous_system.comms.connection import BusClient, open_nats
from nervous_system.comms.lookup import StreamLookup
from nervous_system.comms.streams import EVENTS_STREAM
from tests.support.bus import declare
from tests.support.proxy import FaultyLink, faulty_link
from tests.support.servers import NatsServer


@pytest.fixture
async def client(nats_server: NatsServer) -> AsyncIterator[BusClient]:
    """Connected straight, streams declared."""
    async with open_nats(nats_server.url, name="test") as client:
        await declare(client.jetstream())
        yield client


@pytest.fixture
async def link(nats_server: NatsServer, client: BusClient) -> AsyncIterator[FaultyLink]:
    """A link to the server that can be made to fail; `client` stays unharmed beside it."""
    async with faulty_link(nats_server.port) as link:
        yield link


@pytest.fixture
async def linked_client(link: FaultyLink) -> AsyncIterator[BusClient]:
    """Connected through the link."""
    async with open_nats(link.url, name="test-linked") as client:
        yield client


@pytest.fixture
def lookup(client: BusClient, nats_server: NatsServer) -> StreamLookup:
    return StreamLookup(client.jetstream(), EVENTS_STREAM, nats_server.url)
