"""Each user of the shipped configuration can do its duty on a real server, and nothing more."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import nats
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, ObjectStoreConfig, StreamConfig

from infrastructure.ingestor.wire import WireOptions, open_wire
from nervous_system.comms.connection import open_nats
from nervous_system.comms.inbox import DEFAULT_PREFIX, user_inbox
from tests.support.builders import build_event
from tests.support.eventually import eventually
from tests.support.servers import NatsServer

EVENTS = "ENCHANTED_SWARM"
STREAMS = {
    EVENTS: "swarm.events.>",
    "SWARM_COORDINATION": "swarm.coordination.>",
    "SWARM_CHECKPOINTS": "swarm.checkpoints.>",
    "SWARM_SPANS": "swarm.spans.>",
}


@contextlib.asynccontextmanager
async def connected(
    server: NatsServer, user: str, *, inbox: str | None = None
) -> AsyncIterator[tuple[Client, list[str]]]:
    """Connect as `user`, by default with its own inbox; the list fills with what is forbidden."""
    violations: list[str] = []

    async def on_error(error: Exception) -> None:
        violations.append(str(error))

    client = await nats.connect(
        server.url_of(user), error_cb=on_error, inbox_prefix=inbox or user_inbox(user)
    )
    try:
        yield client, violations
    finally:
        await client.close()


@pytest.fixture
async def bus(nats_server_with_users: NatsServer) -> NatsServer:
    """A server with users and our streams, declared by the operator."""
    async with connected(nats_server_with_users, "operator") as (client, violations):
        js = client.jetstream()
        for name, subjects in STREAMS.items():
            await js.add_stream(
                StreamConfig(name=name, subjects=[subjects], allow_direct=True, allow_atomic=True)
            )
        await js.create_object_store("SWARM_CONTENT", ObjectStoreConfig())
        assert violations == []
    return nats_server_with_users


async def may_publish(server: NatsServer, user: str, subject: str) -> bool:
    async with connected(server, user) as (client, violations):
        await client.publish(subject, b"{}")
        await client.flush()  # the server reports a violation before it answers the ping
        await client.flush()
        return violations == []


ALLOWED = {
    "operator": ["swarm.events.coder.decision.x", "$JS.API.STREAM.CREATE.X", "swarm.tasks.a"],
    "ingestor": ["swarm.checkpoints.ENCHANTED_SWARM", "swarm.spans.x"],
    "dashboard": [f"$JS.API.STREAM.INFO.{EVENTS}", f"$JS.API.CONSUMER.CREATE.{EVENTS}"],
    "agent": [
        "swarm.events.coder.decision.a-1",
        "swarm.coordination.claim.k.a-1",
        "swarm.coordination.task.r.t.a-1",
    ],
    "publisher": ["swarm.events.architect.decision"],
}
FORBIDDEN = {
    "operator": ["$SYS.REQ.SERVER.PING", "elsewhere"],
    "ingestor": [
        "swarm.events.coder.decision",
        "swarm.events.coder.decision.x",
        f"$JS.API.STREAM.DELETE.{EVENTS}",
        f"$JS.API.STREAM.PURGE.{EVENTS}",
        "$JS.API.STREAM.PURGE.SWARM_CHECKPOINTS",
        "$JS.API.STREAM.MSG.DELETE.SWARM_CHECKPOINTS",
        f"$JS.API.STREAM.UPDATE.{EVENTS}",
        f"$JS.ACK.{EVENTS}.theirs.1.1.1.1.0",
    ],
    "dashboard": [
        "swarm.events.coder.decision.x",
        "swarm.events.coder.decision",
        "swarm.coordination.a.b.c",
        "$O.SWARM_CONTENT.C.x",
        "$JS.API.DIRECT.GET.ENCHANTED_SWARM",
        f"$JS.API.STREAM.DELETE.{EVENTS}",
        "$JS.API.CONSUMER.CREATE.OBJ_SWARM_CONTENT",
        f"$JS.API.CONSUMER.DELETE.{EVENTS}.theirs",
        f"$JS.API.CONSUMER.DURABLE.CREATE.{EVENTS}.mine",
        f"$JS.ACK.{EVENTS}.theirs.1.1.1.1.0",
        "_INBOX_ingestor.a.hot",
        "_INBOX.a",
    ],
    "agent": [
        "swarm.events.coder.decision",
        "swarm.events.coder.decision.a.b",
        "swarm.checkpoints.ENCHANTED_SWARM",
        "swarm.tasks.coder.1.r.t.7",
        "swarm.spans.x",
        f"$JS.API.STREAM.PURGE.{EVENTS}",
        "$JS.API.STREAM.PURGE.SWARM_TASKS",
        "$JS.API.STREAM.PURGE.OBJ_SWARM_CONTENT",
        f"$JS.API.STREAM.MSG.DELETE.{EVENTS}",
        "$JS.API.STREAM.CREATE.MINE",
        "$JS.API.STREAM.DELETE.OBJ_SWARM_CONTENT",
        f"$JS.API.DIRECT.GET.{EVENTS}",
        f"$JS.API.DIRECT.GET.{EVENTS}.swarm.events.coder.decision.x",
        f"$JS.API.CONSUMER.DELETE.{EVENTS}.theirs",
        f"$JS.API.CONSUMER.NAMES.{EVENTS}",
        "$JS.ACK.SWARM_SPANS.theirs.1.1.1.1.0",
        "_INBOX_ingestor.a.hot",
    ],
    "publisher": [
        "swarm.events.architect.decision.a-1",
        f"$JS.API.STREAM.INFO.{EVENTS}",
        f"$JS.API.CONSUMER.CREATE.{EVENTS}",
        "$O.SWARM_CONTENT.C.x",
        "swarm.checkpoints.x",
    ],
}


@pytest.mark.parametrize("user", ALLOWED)
async def test_user_may_publish_what_its_duty_needs(bus: NatsServer, user: str) -> None:
    """No violation is reported for the subjects of its duty."""
    for subject in ALLOWED[user]:
        assert await may_publish(bus, user, subject), subject


@pytest.mark.parametrize("user", FORBIDDEN)
async def test_user_may_not_publish_anything_else(bus: NatsServer, user: str) -> None:
    """Every other subject is a violation."""
    for subject in FORBIDDEN[user]:
        assert not await may_publish(bus, user, subject), subject


@pytest.mark.parametrize("user", ["ingestor", "agent", "publisher"])
async def test_user_cannot_listen_to_events_past_the_stream(bus: NatsServer, user: str) -> None:
    """A plain subscription on events is refused."""
    async with connected(bus, user) as (client, violations):
        await client.subscribe("swarm.events.>")
        await client.flush()
        await client.flush()
        assert any("permissions violation" in text for text in violations)


async def test_dashboard_sees_live_events(bus: NatsServer) -> None:
    """It can subscribe to events directly, as a browser does."""
    async with connected(bus, "dashboard") as (client, violations):
        subscription = await client.subscribe("swarm.events.>")
        await client.flush()
        async with connected(bus, "agent") as (agent, _):
            await agent.jetstream().publish("swarm.events.coder.decision.a", b"x")
        assert (await subscription.next_msg(timeout=5)).data == b"x"
        assert violations == []


async def test_browser_can_open_a_websocket(bus: NatsServer) -> None:
    """The server upgrades the connection and says who it is."""
    reader, writer = await asyncio.open_connection("127.0.0.1", bus.websocket_port)
    writer.write(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    answer = await reader.readuntil(b"INFO {")
    assert answer.startswith(b"HTTP/1.1 101")
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in answer
    writer.close()
    await writer.wait_closed()


async def test_agent_can_publish_singly_and_in_an_atomic_batch(bus: NatsServer) -> None:
    """Both ways of committing are acked."""
    async with connected(bus, "agent") as (client, violations):
        subject = "swarm.events.coder.decision.a-1"
        assert (await client.jetstream().publish(subject, b"1", timeout=5)).seq == 1
        batch = {"Nats-Batch-Id": "b1"}
        await client.publish(subject, b"2", headers={**batch, "Nats-Batch-Sequence": "1"})
        last = {**batch, "Nats-Batch-Sequence": "2", "Nats-Batch-Commit": "1"}
        ack = json.loads((await client.request(subject, b"3", timeout=5, headers=last)).data)
        assert (ack["seq"], ack["count"]) == (3, 2)
        assert violations == []


async def test_agent_can_replay_the_stream_and_ask_for_the_last_of_a_subject(
    bus: NatsServer,
) -> None:
    """Ordered, ephemeral, durable and pull consumers, acks, and a get by subject work."""
    async with connected(bus, "agent") as (client, violations):
        js = client.jetstream()
        for number in range(3):
            await js.publish("swarm.events.coder.decision.a", str(number).encode())
        assert (await js.stream_info(EVENTS)).state.messages == 3
        assert (await js.get_last_msg(EVENTS, "swarm.events.*.*.a")).data == b"2"
        ordered = await js.subscribe("swarm.events.>", stream=EVENTS, ordered_consumer=True)
        assert [(await ordered.next_msg(5)).data for _ in range(3)] == [b"0", b"1", b"2"]
        durable = await js.pull_subscribe("swarm.events.>", durable="d", stream=EVENTS)
        messages = await durable.fetch(3, timeout=5)
        for message in messages:
            await message.ack_sync()
        assert violations == []


async def test_agent_can_keep_and_fetch_content(bus: NatsServer) -> None:
    """The object store takes and returns content over several chunks."""
    content = bytes(range(256)) * 2000
    async with connected(bus, "agent") as (client, violations):
        store = await client.jetstream().object_store("SWARM_CONTENT")
        await store.put("digest", content)
        assert (await store.get("digest")).data == content
        assert violations == []


async def test_ingestor_can_read_append_heads_and_remove_content(bus: NatsServer) -> None:
    """The whole duty of the ingestor works without a violation."""
    async with connected(bus, "agent") as (agent, _):
        await agent.jetstream().publish("swarm.events.coder.decision.a", b"x")
        store = await agent.jetstream().object_store("SWARM_CONTENT")
        await store.put("digest", b"content")
    async with connected(bus, "ingestor") as (client, violations):
        js = client.jetstream()
        policy = ConsumerConfig(ack_policy=AckPolicy.NONE)
        reader = await js.pull_subscribe("", stream=EVENTS, config=policy)
        assert [message.data for message in await reader.fetch(1, timeout=5)] == [b"x"]
        await js.publish(f"swarm.checkpoints.{EVENTS}", b"head")
        assert (await js.get_last_msg("SWARM_CHECKPOINTS", "swarm.checkpoints.>")).data == b"head"
        store = await js.object_store("SWARM_CONTENT")
        assert (await store.get("digest")).data == b"content"
        await store.delete("digest")
        assert violations == []


USERS = ("operator", "ingestor", "dashboard", "publisher", "agent")


@pytest.mark.parametrize("user", USERS)
async def test_user_cannot_listen_to_what_is_answered_to_another(
    bus: NatsServer, user: str
) -> None:
    """Neither one inbox, nor all of a user, nor all there are."""
    inboxes = [f"{user_inbox(other)}.>" for other in USERS if other != user]
    async with connected(bus, user) as (client, violations):
        for subject in (*inboxes, "_INBOX_ingestor.a.hot", "*.*.hot", ">"):
            if user != "ingestor" or not subject.startswith("_INBOX_ingestor"):
                violations.clear()
                await client.subscribe(subject)
                await client.flush()
                await client.flush()
                assert any("permissions violation" in text for text in violations), subject


@pytest.mark.parametrize("user", ["ingestor", "dashboard"])
async def test_user_cannot_listen_to_the_inbox_that_plain_clients_share(
    bus: NatsServer, user: str
) -> None:
    """Its duty needs none of it."""
    async with connected(bus, user) as (client, violations):
        await client.subscribe(f"{DEFAULT_PREFIX}.>")
        await client.flush()
        await client.flush()
        assert any("permissions violation" in text for text in violations)


@pytest.mark.parametrize("user", ["publisher", "agent", "operator"])
async def test_plain_client_gets_its_ack_in_the_default_inbox(bus: NatsServer, user: str) -> None:
    """A standard client needs no option."""
    subject = "swarm.events.coder.decision" + ("" if user == "publisher" else ".a")
    async with connected(bus, user, inbox=DEFAULT_PREFIX) as (client, violations):
        assert (await client.jetstream().publish(subject, b"x", timeout=5)).stream == EVENTS
        assert violations == []


async def test_our_own_connections_are_answered_where_no_other_user_listens(
    bus: NatsServer,
) -> None:
    """The one of nats-py and the one of the ingestor, for each user that makes them."""
    async with connected(bus, "agent") as (agent, _):
        heard: list[str] = []

        async def hear(message: Msg) -> None:
            heard.append(message.subject)

        await agent.subscribe(f"{DEFAULT_PREFIX}.>", cb=hear)
        await agent.flush()
        for user in ("operator", "ingestor"):
            async with open_nats(bus.url_of(user), name="test") as client:
                await client.jetstream().stream_info(EVENTS)
        async with open_wire(WireOptions(url=bus.url_of("ingestor"))) as wire:
            await wire.request(f"$JS.API.STREAM.INFO.{EVENTS}", {})
        await agent.flush()
    assert heard == []


async def test_agent_bound_to_its_token_acks_and_keeps_durables_of_that_name_only(
    nats_server_with_users: NatsServer,
) -> None:
    """So it cannot make another's subscription pass events by."""
    server = nats_server_with_users
    server.stop()
    server.agents = {"agent": ("mine",)}
    server.start()
    async with connected(server, "operator") as (operator, _):
        await operator.jetstream().add_stream(name=EVENTS, subjects=["swarm.events.>"])
    async with connected(server, "agent") as (agent, violations):
        js = agent.jetstream()
        await js.publish("swarm.events.coder.decision.mine", b"x")
        policy = ConsumerConfig(durable_name="mine", ack_policy=AckPolicy.EXPLICIT)
        await js.add_consumer(EVENTS, policy)
        own = await js.pull_subscribe_bind("mine", EVENTS)
        await (await own.fetch(1, timeout=5))[0].ack_sync()
        assert violations == []
    for subject in (
        f"$JS.ACK.{EVENTS}.theirs.1.1.1.1.0",
        f"$JS.API.CONSUMER.DURABLE.CREATE.{EVENTS}.theirs",
        f"$JS.API.CONSUMER.DELETE.{EVENTS}.mine",
    ):
        assert not await may_publish(server, "agent", subject), subject


async def test_publisher_gets_its_ack_with_plain_js_publish(bus: NatsServer) -> None:
    """A program that knows only the frozen schema needs nothing but `js.publish`."""
    async with connected(bus, "publisher") as (client, violations):
        ack = await client.jetstream().publish("swarm.events.architect.decision", b"x")
        assert (ack.stream, ack.seq, violations) == (EVENTS, 1, [])


async def test_agent_bound_to_its_token_cannot_store_bytes_under_another(
    nats_server_with_users: NatsServer,
) -> None:
    """Neither by publishing, nor by naming another's subject as the reply of a request."""
    server = nats_server_with_users
    server.stop()
    server.agents = {"agent": ("mine",)}
    server.start()
    forged = build_event(agent_id="other").SerializeToString()
    victim = "swarm.events.coder.decision.other"
    async with connected(server, "operator") as (operator, _):
        js = operator.jetstream()
        await js.add_stream(name=EVENTS, subjects=["swarm.events.>"], allow_direct=True)
        await js.create_object_store("SWARM_CONTENT", ObjectStoreConfig())
        async with connected(server, "agent") as (agent, violations):
            await _try_to_forge(agent, forged, victim)
            await agent.flush()
        assert len(violations) == 2
        await eventually(lambda: _answers_arrived(operator))
        stored = await _messages(operator)
    assert (victim, forged) not in stored
    assert ("swarm.events.coder.decision.mine", forged) in stored


async def _try_to_forge(agent: Client, forged: bytes, victim: str) -> None:
    js = agent.jetstream()
    await agent.publish(victim, forged)
    await js.publish("swarm.events.coder.decision.mine", forged)
    store = await js.object_store("SWARM_CONTENT")
    await store.put("x", forged)
    first = b'{"seq":1}'
    await agent.publish(f"$JS.API.DIRECT.GET.{EVENTS}", first, reply=victim)
    await agent.publish(f"$JS.API.STREAM.MSG.GET.{EVENTS}", first, reply=victim)
    for stream in (EVENTS, "OBJ_SWARM_CONTENT"):
        consumer = ConsumerConfig(name="c", ack_policy=AckPolicy.NONE, filter_subject=">")
        await js.add_consumer(stream, consumer)
        await agent.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.c", b"1", reply=victim)


async def _answers_arrived(operator: Client) -> bool:
    """The message itself, the answer of MSG.GET, and both consumers' deliveries."""
    return (await operator.jetstream().stream_info(EVENTS)).state.messages >= 4


async def _messages(operator: Client) -> list[tuple[str | None, bytes | None]]:
    js = operator.jetstream()
    last = (await js.stream_info(EVENTS)).state.last_seq
    found = [await js.get_msg(EVENTS, sequence) for sequence in range(1, last + 1)]
    return [(message.subject, message.data) for message in found]
