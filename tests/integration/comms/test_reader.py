"""Reading the stream: from a sequence, from a time, live; no gaps, no repeats, across absences."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from nervous_system.comms.connection import BusClient, open_nats
from nervous_system.comms.contracts import Delivery, StoredEvent
from nervous_system.comms.reader import StreamReader
from nervous_system.errors import BusUnavailableError, EventDecodeError
from tests.support.builders import build_event
from tests.support.eventually import eventually
from tests.support.proxy import FaultyLink
from tests.support.servers import NatsServer


async def publish(
    client: BusClient, count: int, subject: str = "swarm.events.coder.decision"
) -> None:
    futures = [
        await client.jetstream().publish_async(subject, build_event().SerializeToString())
        for _ in range(count)
    ]
    await asyncio.gather(*futures)


@pytest.fixture
def reader(client: BusClient, nats_server: NatsServer) -> StreamReader:
    return StreamReader(client, client.jetstream(), servers=nats_server.url)


async def sequences(found: AsyncIterator[StoredEvent]) -> list[int]:
    return [one.sequence async for one in found]


async def test_replay_of_an_empty_stream_ends_at_once(reader: StreamReader) -> None:
    assert await sequences(reader.replay()) == []


async def test_replay_yields_everything_that_is_there(
    client: BusClient, reader: StreamReader
) -> None:
    await publish(client, 1700)
    assert await sequences(reader.replay()) == list(range(1, 1701))


async def test_replay_yields_the_range_asked_for(client: BusClient, reader: StreamReader) -> None:
    await publish(client, 30)
    assert await sequences(reader.replay(start=7, end=11)) == [7, 8, 9, 10, 11]
    assert await sequences(reader.replay(start=28, end=99)) == [28, 29, 30]
    assert await sequences(reader.replay(start=31)) == []
    assert await sequences(reader.replay(start=5, end=4)) == []


async def test_replay_from_a_time_begins_with_what_was_stored_then(
    client: BusClient, reader: StreamReader
) -> None:
    await publish(client, 5)
    stored_at = (await anext(reader.replay(start=5))).delivery.stored_at
    await publish(client, 5)
    assert await sequences(reader.replay(start=stored_at)) == [5, 6, 7, 8, 9, 10]
    assert await sequences(reader.replay(start=datetime.now(UTC))) == []


async def test_replay_of_some_subjects_yields_only_these(
    client: BusClient, reader: StreamReader
) -> None:
    for number in range(10):
        await publish(client, 1, f"swarm.events.coder.decision.agent-{number % 3}")
    subjects = ["swarm.events.*.*.agent-0"]
    assert await sequences(reader.replay(subjects=subjects)) == [1, 4, 7, 10]
    assert await sequences(reader.replay(subjects=["swarm.events.*.*.nobody"])) == []


async def test_delivery_carries_the_message_as_stored(
    client: BusClient, reader: StreamReader
) -> None:
    event = build_event()
    raw = event.SerializeToString()
    await client.jetstream().publish("swarm.events.a.b", raw, headers={"traceparent": "t"})
    (found,) = [one async for one in reader.replay()]
    assert found.event == event
    assert found.delivery.raw == raw
    assert found.delivery.subject == "swarm.events.a.b"
    assert found.delivery.headers == {"traceparent": "t"}


async def test_message_that_is_no_event_is_reported_and_passed_over(
    client: BusClient, nats_server: NatsServer
) -> None:
    reported: list[int] = []

    def note(delivery: Delivery, _error: EventDecodeError) -> None:
        reported.append(delivery.sequence)

    reader = StreamReader(client, client.jetstream(), servers=nats_server.url, on_undecodable=note)
    await publish(client, 1)
    await client.jetstream().publish("swarm.events.a.b", b"\xff\xff")
    await publish(client, 1)
    assert await sequences(reader.replay()) == [1, 3]
    assert reported == [2]


async def test_live_reading_yields_only_what_comes_afterwards(
    client: BusClient, reader: StreamReader
) -> None:
    await publish(client, 3)
    live = reader.live()
    first = asyncio.ensure_future(anext(live))
    await eventually(lambda: _has_consumer(client))
    await publish(client, 2)
    assert (await first).sequence == 4
    assert (await anext(live)).sequence == 5
    await live.aclose()  # type: ignore[attr-defined]


async def test_following_reader_survives_cuts_and_a_killed_server(
    client: BusClient, linked_client: BusClient, link: FaultyLink, nats_server: NatsServer
) -> None:
    reader = StreamReader(linked_client, linked_client.jetstream(), servers=link.url)
    seen: list[int] = []

    async def follow() -> None:
        async for one in reader.replay(follow=True):
            seen.append(one.sequence)

    following = asyncio.create_task(follow())
    await publish(client, 200)
    await eventually(lambda: len(seen) >= 100)
    link.cut()
    await publish(client, 200)
    await eventually(lambda: len(seen) >= 400)
    await asyncio.to_thread(nats_server.kill)
    await asyncio.to_thread(nats_server.start)
    await eventually(lambda: client.is_connected)
    await publish(client, 200)
    await eventually(lambda: len(seen) >= 600, timeout=30)
    following.cancel()
    await asyncio.wait({following})
    assert seen == list(range(1, 601))


async def test_replay_says_that_the_bus_is_away(linked_client: BusClient, link: FaultyLink) -> None:
    reader = StreamReader(linked_client, linked_client.jetstream(timeout=0.3), servers=link.url)
    link.refuses = True
    link.cut()
    with pytest.raises(BusUnavailableError):
        await sequences(reader.replay())


async def test_missing_stream_is_named(nats_server: NatsServer) -> None:
    async with open_nats(nats_server.url, name="test") as client:
        reader = StreamReader(client, client.jetstream(), servers=nats_server.url)
        with pytest.raises(BusUnavailableError, match="ENCHANTED_SWARM"):
            await sequences(reader.replay())


async def _has_consumer(client: BusClient) -> bool:
    info = await client.jetstream().stream_info("ENCHANTED_SWARM")
    return bool(info.state.consumer_count)
