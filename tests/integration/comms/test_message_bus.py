"""`MessageBus`: the names that users rely on, on a real nats-server."""

import asyncio
import uuid

import pytest

from nervous_system import MessageBus
from nervous_system.comms.connection import BusClient
from nervous_system.comms.contracts import Delivery
from nervous_system.errors import (
    BusClosedError,
    BusUnavailableError,
    ConsumerLostError,
    EventDecodeError,
    InvalidEventError,
    PublishTimeoutError,
)
from nervous_system.schemas import SwarmEvent
from tests.support.builders import build_event
from tests.support.bus import pause, read_stream
from tests.support.eventually import eventually
from tests.support.servers import NatsServer


async def test_receipt_of_a_published_event_is_true(
    client: BusClient, nats_server: NatsServer
) -> None:
    event = build_event()
    async with MessageBus(nats_server.url) as bus:
        receipt = await bus.publish_event("architect.decision", event)
        again = await bus.publish_event("architect.decision", event.SerializeToString())
    message = await client.jetstream().get_msg(receipt.stream, receipt.sequence or 0)
    assert message.subject == "swarm.events.architect.decision"
    assert message.data == event.SerializeToString()
    assert (receipt.event_id, receipt.duplicate) == (event.event_id, False)
    assert (again.sequence, again.duplicate) == (receipt.sequence, True)


async def test_connect_and_close_can_be_called_by_hand_and_twice(
    client: BusClient, nats_server: NatsServer
) -> None:
    bus = MessageBus(nats_server.url)
    for _ in range(2):
        await bus.connect()
    await bus.publish_event("architect.decision", build_event())
    for _ in range(2):
        await bus.close()
    with pytest.raises(BusClosedError):
        await bus.publish_event("architect.decision", build_event())
    assert len(await read_stream(client.jetstream())) == 1


async def test_use_before_connect_is_misuse(nats_url: str) -> None:
    with pytest.raises(BusClosedError):
        await MessageBus(nats_url).publish_event("architect.decision", build_event())


async def test_what_is_no_event_is_refused_before_sending(
    client: BusClient, nats_server: NatsServer
) -> None:
    async with MessageBus(nats_server.url) as bus:
        with pytest.raises(EventDecodeError):
            await bus.publish_event("architect.decision", b"\xff")
        with pytest.raises(InvalidEventError, match="event_id"):
            await bus.publish_event("architect.decision", SwarmEvent())
        with pytest.raises(InvalidEventError, match="subject"):
            await bus.publish_event("architect.*", build_event())
    assert await read_stream(client.jetstream()) == []


async def test_missing_ack_raises(client: BusClient, nats_server: NatsServer) -> None:
    async with MessageBus(nats_server.url) as bus:
        await pause(nats_server)
        with pytest.raises(PublishTimeoutError):
            await bus.publish_event("architect.decision", build_event(), timeout=0.2)
        nats_server.resume()


async def test_unreachable_server_raises() -> None:
    with pytest.raises(BusUnavailableError, match=r"127\.0\.0\.1:1 "):
        await MessageBus("nats://user:secret@127.0.0.1:1").connect()


async def test_subscriber_gets_every_event_once_and_goes_on_where_it_stopped(
    client: BusClient, nats_server: NatsServer
) -> None:
    seen: list[int] = []

    async def note(_event: SwarmEvent, delivery: Delivery) -> None:
        seen.append(delivery.sequence)

    async with MessageBus(nats_server.url) as bus:
        for _ in range(5):
            await bus.publish_event("architect.decision", build_event())
        subscription = await bus.subscribe_persistent("reader", note)
        await eventually(lambda: len(seen) == 5)
        await eventually(lambda: _is_all_acked(client, "reader"))
        await subscription.stop()
        for _ in range(5):
            await bus.publish_event("architect.decision", build_event())
        await bus.subscribe_persistent("reader", note)
        await eventually(lambda: len(seen) == 10)
    assert seen == list(range(1, 11))


async def test_event_whose_callback_fails_comes_again(
    client: BusClient, nats_server: NatsServer
) -> None:
    attempts: list[tuple[int, int]] = []

    def fail_once(_event: SwarmEvent, delivery: Delivery) -> None:
        attempts.append((delivery.sequence, delivery.attempt))
        if attempts.count((1, 1)) == 1 and delivery.attempt == 1 and delivery.sequence == 1:
            raise RuntimeError("not now")

    async with MessageBus(nats_server.url) as bus:
        for _ in range(2):
            await bus.publish_event("architect.decision", build_event())
        await bus.subscribe_persistent("reader", fail_once)
        await eventually(lambda: len(attempts) == 3)
    assert sorted(attempts) == [(1, 1), (1, 2), (2, 1)]


async def test_message_that_is_no_event_does_not_stop_a_subscriber(
    client: BusClient, nats_server: NatsServer
) -> None:
    seen: list[str] = []
    await client.jetstream().publish("swarm.events.a.b", b"\xff")
    event = build_event()
    async with MessageBus(nats_server.url) as bus:
        await bus.publish_event("architect.decision", event)
        await bus.subscribe_persistent("reader", lambda event, _: seen.append(event.event_id))
        await eventually(lambda: seen == [event.event_id])
        await eventually(lambda: _is_all_acked(client, "reader"))


async def test_subscribers_of_one_name_share_the_work(
    client: BusClient, nats_server: NatsServer
) -> None:
    seen: list[tuple[str, int]] = []

    def noted_by(name: str) -> object:
        async def note(_event: SwarmEvent, delivery: Delivery) -> None:
            seen.append((name, delivery.sequence))
            await asyncio.sleep(0)

        return note

    async with MessageBus(nats_server.url) as bus:
        for name in ("one", "two"):
            await bus.subscribe_persistent("reader", noted_by(name))  # type: ignore[arg-type]
        await asyncio.gather(
            *(bus.publish_event("architect.decision", build_event()) for _ in range(200))
        )
        await eventually(lambda: len(seen) == 200)
    assert sorted(sequence for _, sequence in seen) == list(range(1, 201))


async def test_deleted_consumer_is_reported(client: BusClient, nats_server: NatsServer) -> None:
    async with MessageBus(nats_server.url) as bus:
        subscription = await bus.subscribe_persistent("reader", lambda _event, _delivery: None)
        await client.jetstream().delete_consumer("ENCHANTED_SWARM", "reader")
        with pytest.raises(ConsumerLostError, match="reader"):
            await subscription.wait()


async def test_subscriber_survives_a_killed_server(
    client: BusClient, nats_server: NatsServer
) -> None:
    seen: set[str] = set()
    ids = [str(uuid.uuid4()) for _ in range(20)]
    async with MessageBus(nats_server.url) as bus:
        await bus.subscribe_persistent("reader", lambda event, _: seen.add(event.event_id))
        for event_id in ids[:10]:
            await bus.publish_event("a.b", build_event(event_id=event_id))
        await asyncio.to_thread(nats_server.kill)
        await asyncio.to_thread(nats_server.start)
        for event_id in ids[10:]:
            await bus.publish_event("a.b", build_event(event_id=event_id), timeout=20)
        await eventually(lambda: seen == set(ids), timeout=40)


async def _is_all_acked(client: BusClient, consumer: str) -> bool:
    info = await client.jetstream().consumer_info("ENCHANTED_SWARM", consumer)
    return not info.num_ack_pending and not info.num_pending
