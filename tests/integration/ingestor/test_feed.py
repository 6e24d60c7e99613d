"""The reader of streams against a real server."""

import re
import shutil

import pytest

from infrastructure.errors import HistoryAheadError, StreamChangedError
from infrastructure.ingestor.feed import look_at_stream, open_feed, read_range
from infrastructure.ingestor.protocol import RawBatch
from infrastructure.ingestor.wire import WireOptions
from nervous_system.comms.streams import COORDINATION_STREAM, EVENTS_STREAM, stream_identity
from nervous_system.errors import BusUnavailableError
from tests.support.eventually import eventually
from tests.support.ingesting import SUBJECT, open_streams, put
from tests.support.meddling import meddling
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


async def test_a_delivery_lost_on_the_way_is_fetched_again(nats_server: NatsServer) -> None:
    third = re.compile(rb"MSG \S+ 1 \S+\.3\.3\.\d+\.\d+ \d+\r\n\w+\r\n")
    lost: list[bytes] = []

    def lose_once(piece: bytes) -> bytes:
        found = third.search(piece)
        if lost or found is None:
            return piece
        lost.append(found[0])
        return piece.replace(found[0], b"")

    raws = [b"a", b"b", b"c", b"d", b"e"]
    async with open_streams(nats_server) as jetstream, meddling(nats_server.port, lose_once) as url:
        options = WireOptions(url=url)
        async with open_feed(
            options, await look_at_stream(options, EVENTS_STREAM), 1, BUDGET
        ) as feed:
            found = RawBatch()
            for raw in raws:
                await put(jetstream, [raw])
            while len(found) < len(raws):
                batch = await feed.take()
                found.sequences += batch.sequences
                found.payloads += batch.payloads
    assert lost
    assert (found.sequences, found.payloads) == ([1, 2, 3, 4, 5], raws)


async def test_what_another_consumer_delivers_into_our_inbox_is_not_taken(
    nats_server: NatsServer,
) -> None:
    options = WireOptions(url=nats_server.url)
    async with open_streams(nats_server) as jetstream:
        await put(jetstream, [b"ours"])
        await put(jetstream, [b"forged"], "swarm.coordination.coder.decision.mallory")
        foreign = await jetstream.pull_subscribe(
            "swarm.coordination.>", durable="mallory", stream=COORDINATION_STREAM
        )
        state = await look_at_stream(options, EVENTS_STREAM)
        inbox = await jetstream._nc.subscribe("_INBOX.*.r.*")
        async with open_feed(options, state, 1, BUDGET) as feed:
            assert (await feed.take()).payloads == [b"ours"]
            prefix = (await inbox.next_msg()).subject.partition(".r.")[0]
            pull = f"$JS.API.CONSUMER.MSG.NEXT.{COORDINATION_STREAM}.mallory"
            await jetstream._nc.publish(pull, b"1", reply=f"{prefix}.hot")
            await put(jetstream, [b"ours too"])
            batch = await feed.take()
            assert (batch.sequences, batch.payloads) == ([2], [b"ours too"])
        await foreign.unsubscribe()


async def test_a_stream_set_back_while_it_is_read_is_refused(nats_server: NatsServer) -> None:
    options = WireOptions(url=nats_server.url)
    async with open_streams(nats_server) as jetstream:
        await put(jetstream, [b"a"])
    nats_server.stop()
    old, store = nats_server.directory / "old", nats_server.directory / "store"
    shutil.copytree(store, old)
    nats_server.start()
    async with open_streams(nats_server) as jetstream:
        await put(jetstream, [b"b", b"c"])
        state = await look_at_stream(options, EVENTS_STREAM)
    async with open_feed(options, state, 1, BUDGET) as feed:
        assert (await feed.take()).sequences == [1, 2, 3]
        nats_server.kill()
        shutil.rmtree(store)
        old.rename(store)
        nats_server.start()
        with pytest.raises(HistoryAheadError):
            await feed.take()


async def test_a_stream_set_back_is_refused_also_once_it_has_grown_past_what_was_read(
    nats_server: NatsServer,
) -> None:
    options = WireOptions(url=nats_server.url)
    async with open_streams(nats_server) as jetstream:
        await put(jetstream, [b"a"])
    nats_server.stop()
    old, store, port = (
        nats_server.directory / "old",
        nats_server.directory / "store",
        nats_server.port,
    )
    shutil.copytree(store, old)
    nats_server.start()
    async with open_streams(nats_server) as jetstream:
        await put(jetstream, [b"b", b"c"])
        state = await look_at_stream(options, EVENTS_STREAM)
    async with open_feed(options, state, 1, BUDGET) as feed:
        assert (await feed.take()).sequences == [1, 2, 3]
        nats_server.kill()
        shutil.rmtree(store)
        old.rename(store)
        nats_server.port = 0  # nobody reads while it grows
        nats_server.start()
        async with open_streams(nats_server) as jetstream:
            await put(jetstream, [b"B", b"C", b"D"])
        nats_server.stop()
        nats_server.port = port
        nats_server.start()
        with pytest.raises(StreamChangedError, match="another message at 3"):
            await feed.take()


async def test_an_answer_that_makes_no_sense_is_not_waited_for(nats_server: NatsServer) -> None:
    options = WireOptions(url=nats_server.url)
    async with open_streams(nats_server):
        state = await look_at_stream(options, EVENTS_STREAM)
        async with (
            meddling(
                nats_server.port, lambda piece: piece.replace(b'"first_seq"', b'"first_sec"')
            ) as url,
            open_feed(WireOptions(url=url), state, 1, BUDGET) as feed,
        ):
            with pytest.raises(KeyError):
                await feed.take()


async def test_no_consumer_is_left_behind(nats_server: NatsServer) -> None:
    options = WireOptions(url=nats_server.url)
    async with open_streams(nats_server) as jetstream:
        await put(jetstream, [b"a"])
        state = await look_at_stream(options, EVENTS_STREAM)
        async with open_feed(options, state, 1, BUDGET) as feed:
            await feed.take()
            assert len(await jetstream.consumers_info(EVENTS_STREAM)) == 1

        async def is_gone() -> bool:
            return not await jetstream.consumers_info(EVENTS_STREAM)

        await eventually(is_gone)


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
