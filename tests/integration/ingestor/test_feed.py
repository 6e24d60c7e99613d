"""The reader of streams against a real server."""

import pytest

from infrastructure.errors import StreamChangedError
from infrastructure.ingestor.feed import look_at_stream, open_feed, read_range
from infrastructure.ingestor.protocol import RawBatch
from infrastructure.ingestor.wire import WireOptions
from nervous_system.comms.streams import EVENTS_STREAM, stream_identity
from nervous_system.errors import BusUnavailableError
from tests.support.eventually import eventually
from tests.support.ingesting import SUBJECT, open_streams, put
from tests.support.servers import NatsServer

BUDGET = 16 * 1024 * 1024


async def collect(url: str, start: int, end: int) -> tuple[list[int], list[bytes]]:
    found = RawBatch()
    async for batch in read_range(url, EVENTS_STREAM, start, end):
        found.sequences += batch.sequences
        found.payloads += batch.payloads
        assert set(batch.subjects) == {SUBJECT.encode()}
    return found.sequences, found.payloads


async def test_a_range_is_read_in_order_with_its_bytes(nats_server: NatsServer) -> None:
    raws = [b"%d" % number + bytes(number) for number in range(300)]
    async with open_streams(nats_server) as jetstream:
        await put(jetstream, raws)
        assert await collect(nats_server.url, 11, 250) == (list(range(11, 251)), raws[10:250])


async def test_headers_are_left_out_of_the_payload(nats_server: NatsServer) -> None:
    async with open_streams(nats_server) as jetstream:
        await jetstream.publish(
            SUBJECT, b"x\r\ny", headers={"Nats-Msg-Id": "1", "traceparent": "t"}
        )
        assert await collect(nats_server.url, 1, 1) == ([1], [b"x\r\ny"])


async def test_a_range_ends_where_the_stream_does(nats_server: NatsServer) -> None:
    async with open_streams(nats_server) as jetstream:
        await put(jetstream, [b"a", b"b"])
        assert await collect(nats_server.url, 0, 10**9) == ([1, 2], [b"a", b"b"])
        assert await collect(nats_server.url, 3, 10) == ([], [])


async def test_deleted_messages_are_gaps(nats_server: NatsServer) -> None:
    async with open_streams(nats_server) as jetstream:
        await put(jetstream, [b"a", b"b", b"c", b"d", b"e"])
        for sequence in (1, 3, 5):
            await jetstream.delete_msg(EVENTS_STREAM, sequence)
        assert await collect(nats_server.url, 1, 5) == ([2, 4], [b"b", b"d"])
        assert await collect(nats_server.url, 5, 5) == ([], [])


async def test_a_message_at_the_servers_limit_is_read(nats_server: NatsServer) -> None:
    large = bytes(8 * 1024 * 1024 - 1024)
    async with open_streams(nats_server) as jetstream:
        await put(jetstream, [b"a", large, b"b"])
        assert (await collect(nats_server.url, 1, 3))[1] == [b"a", large, b"b"]


async def test_reading_goes_on_behind_the_last_message_after_the_server_died(
    nats_server: NatsServer,
) -> None:
    options = WireOptions(url=nats_server.url)
    async with open_streams(nats_server) as jetstream:
        await put(jetstream, [b"a", b"b"])
        state = await look_at_stream(options, EVENTS_STREAM)
    async with open_feed(options, state, 1, BUDGET) as feed:
        assert (await feed.take()).sequences == [1, 2]
        nats_server.kill()
        await eventually(lambda: not feed.is_connected)
        nats_server.start()
        async with open_streams(nats_server) as jetstream:
            await put(jetstream, [b"c"])
        assert (await feed.take()).payloads == [b"c"]


async def test_reading_goes_on_after_the_consumer_was_deleted(nats_server: NatsServer) -> None:
    options = WireOptions(url=nats_server.url)
    async with open_streams(nats_server) as jetstream:
        await put(jetstream, [b"a"])
        state = await look_at_stream(options, EVENTS_STREAM)
        async with open_feed(options, state, 1, BUDGET) as feed:
            await feed.take()
            for consumer in await jetstream.consumers_info(EVENTS_STREAM):
                await jetstream.delete_consumer(EVENTS_STREAM, consumer.name)
            await put(jetstream, [b"b"])
            assert (await feed.take()).sequences == [2]


async def test_a_replaced_stream_is_refused(nats_server: NatsServer) -> None:
    options = WireOptions(url=nats_server.url)
    async with open_streams(nats_server) as jetstream:
        await put(jetstream, [b"a"])
        state = await look_at_stream(options, EVENTS_STREAM)
        async with open_feed(options, state, 1, BUDGET) as feed:
            await feed.take()
            await jetstream.delete_stream(EVENTS_STREAM)
            async with open_streams(nats_server) as again:
                await put(again, [b"other"])
                with pytest.raises(StreamChangedError):
                    await feed.take()


async def test_the_identity_is_the_one_that_the_bus_gives(nats_server: NatsServer) -> None:
    async with open_streams(nats_server) as jetstream:
        info = await jetstream.stream_info(EVENTS_STREAM)
        state = await look_at_stream(WireOptions(url=nats_server.url), EVENTS_STREAM)
        assert state.identity == stream_identity(info)


async def test_the_ingestors_user_may_read_and_another_password_may_not(
    nats_server_with_users: NatsServer,
) -> None:
    async with open_streams(nats_server_with_users) as jetstream:
        await put(jetstream, [b"a"])
    assert await collect(nats_server_with_users.url_of("ingestor"), 1, 1) == ([1], [b"a"])
    wrong = nats_server_with_users.url_of("ingestor").replace(":ingestor@", ":wrong@")
    with pytest.raises(BusUnavailableError, match=r"(?i)authorization"):
        await look_at_stream(WireOptions(url=wrong), EVENTS_STREAM)


async def test_a_missing_stream_is_named(nats_server: NatsServer) -> None:
    with pytest.raises(BusUnavailableError, match="stream not found"):
        await look_at_stream(WireOptions(url=nats_server.url), "NOWHERE")
