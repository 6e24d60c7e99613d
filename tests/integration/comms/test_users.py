"""What the SDK needs from the bus works with the rights of the shipped users."""

from nervous_system.comms.contracts import Wait
from nervous_system.comms.open import open_bus
from nervous_system.comms.streams import declare_content_bucket
from nervous_system.config import BusConfig
from tests.support.bus import SMALL_STREAM_BYTES, build_life, declare
from tests.support.servers import NatsServer


async def test_agent_publishes_reads_and_keeps_content_which_the_ingestor_removes(
    nats_server_with_users: NatsServer,
) -> None:
    server = nats_server_with_users
    async with open_bus(BusConfig(url=server.url)) as operator:
        await declare(operator.js)
        await declare_content_bucket(operator.js, max_bytes=SMALL_STREAM_BYTES)
    async with (
        open_bus(BusConfig(url=server.url_of("agent"))) as agent,
        open_bus(BusConfig(url=server.url_of("ingestor"))) as ingestor,
    ):
        for one in build_life("e1", 3):
            await agent.publisher.submit(one, Wait.ACK, 5)
        assert [one.sequence async for one in agent.reader.replay()] == [1, 2, 3]
        digest = await agent.content.put(b"content" * 100_000)
        assert await agent.content.get(digest) == b"content" * 100_000
        assert [one async for one in ingestor.content.digests()] == [digest]
        assert await ingestor.content.get(digest) == b"content" * 100_000
        await ingestor.content.remove(digest)
        assert not await agent.content.has(digest)
