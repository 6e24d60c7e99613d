"""Conditional publishes on a real nats-server: who wins, and who is told what."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest

from nervous_system.comms.conditional import (
    Conditional,
    ConditionalPublisher,
    open_conditional_publisher,
)
from nervous_system.comms.connection import BusClient, open_nats
from nervous_system.comms.contracts import Outgoing
from nervous_system.comms.streams import COORDINATION_STREAM
from nervous_system.errors import PublishRejectedError, PublishTimeoutError, WrongSequenceError
from nervous_system.events import new_event_id
from tests.support.builders import build_event, build_task_transition
from tests.support.bus import declare, read_stream
from tests.support.eventually import eventually
from tests.support.proxy import FaultyLink
from tests.support.servers import NatsServer

PATTERN = "swarm.coordination.task.r.t.*"
OF_A, OF_B = "swarm.coordination.task.r.t.a", "swarm.coordination.task.r.t.b"


def opened(client: BusClient) -> AbstractAsyncContextManager[ConditionalPublisher]:
    return open_conditional_publisher(
        client, client.jetstream(), stream=COORDINATION_STREAM, servers="test"
    )


@pytest.fixture
async def publisher(client: BusClient) -> AsyncIterator[ConditionalPublisher]:
    async with opened(client) as publisher:
        yield publisher


@pytest.fixture
async def linked(linked_client: BusClient) -> AsyncIterator[ConditionalPublisher]:
    async with opened(linked_client) as publisher:
        yield publisher


def conditional(subject: str, expected: int = 0, payload: bytes = b"x") -> Conditional:
    outgoing = Outgoing(subject=subject, payload=payload, event_id=new_event_id())
    return Conditional(outgoing=outgoing, expected_sequence=expected)


async def test_write_is_stored_where_nothing_has_moved(publisher: ConditionalPublisher) -> None:
    event = build_event(build_task_transition())
    first = await publisher.publish(event, OF_A, 0)
    second = await publisher.publish(build_event(build_task_transition()), OF_A, first)
    assert second == first + 1


async def test_one_of_many_rivals_with_subjects_of_their_own_wins(
    publisher: ConditionalPublisher, client: BusClient
) -> None:
    outcomes = await asyncio.gather(
        *(
            publisher.publish(build_event(), f"{PATTERN[:-1]}rival-{n}", 0, pattern=PATTERN)
            for n in range(10)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(one, int) for one in outcomes) == 1
    assert sum(isinstance(one, WrongSequenceError) for one in outcomes) == 9
    assert len(await read_stream(client.jetstream(), COORDINATION_STREAM)) == 1


async def test_repeated_write_is_told_its_place_after_others_wrote(
    publisher: ConditionalPublisher,
) -> None:
    event = build_event()
    first = await publisher.publish(event, OF_A, 0, pattern=PATTERN)
    await publisher.publish(build_event(), OF_B, first, pattern=PATTERN)
    assert await publisher.publish(event, OF_A, 0, pattern=PATTERN) == first


async def test_write_whose_answer_is_lost_is_found(
    link: FaultyLink, linked: ConditionalPublisher, client: BusClient
) -> None:
    """The server has stored it, the connection breaks, and the repeat finds it there."""
    link.swallows_answers = True
    writing = asyncio.create_task(linked.publish(build_event(), OF_A, 0, timeout=20))
    await eventually(lambda: link.swallowed_bytes)
    link.swallows_answers = False
    link.cut()
    assert await writing == 1
    assert len(await read_stream(client.jetstream(), COORDINATION_STREAM)) == 1


async def test_write_lost_to_a_rival_while_the_answer_was_away_is_refused(
    link: FaultyLink, linked: ConditionalPublisher, publisher: ConditionalPublisher
) -> None:
    link.refuses = True
    link.cut()
    writing = asyncio.create_task(linked.publish(build_event(), OF_A, 0, pattern=PATTERN))
    await publisher.publish(build_event(), OF_B, 0, pattern=PATTERN)
    link.refuses = False
    with pytest.raises(WrongSequenceError, match="moved on"):
        await writing


async def test_write_waits_for_a_server_that_is_away(
    nats_server: NatsServer, publisher: ConditionalPublisher
) -> None:
    nats_server.kill()
    writing = asyncio.create_task(publisher.publish(build_event(), OF_A, 0, timeout=20))
    nats_server.start()
    assert await writing == 1


async def test_no_answer_in_time_leaves_the_outcome_open(
    nats_server: NatsServer, publisher: ConditionalPublisher
) -> None:
    nats_server.kill()
    with pytest.raises(PublishTimeoutError, match="outcome unknown"):
        await publisher.publish(build_event(), OF_A, 0, timeout=0.2)


async def test_many_are_stored_each_on_its_own_condition(publisher: ConditionalPublisher) -> None:
    messages = [conditional(f"swarm.coordination.task.r.t{n}.a") for n in range(1_500)]
    assert await publisher.send_all(messages) == list(range(1, 1_501))
    assert await publisher.send_all(messages) == list(range(1, 1_501))


async def test_one_stale_write_does_not_doom_its_neighbours(
    publisher: ConditionalPublisher,
) -> None:
    subjects = [f"swarm.coordination.task.r.t{n}.a" for n in range(20)]
    await publisher.send(conditional(subjects[7]))
    results = await publisher.send_all([conditional(subject) for subject in subjects])
    assert isinstance(results.pop(7), WrongSequenceError)
    assert sorted(one for one in results if isinstance(one, int)) == list(range(2, 21))


async def test_message_over_the_limit_is_refused_and_the_connection_stays(
    publisher: ConditionalPublisher,
) -> None:
    with pytest.raises(PublishRejectedError, match="bytes"):
        await publisher.send(conditional(OF_A, payload=bytes(8 * 1024 * 1024)))
    assert await publisher.send(conditional(OF_A)) == 1


async def test_forbidden_subject_is_refused(nats_server_with_users: NatsServer) -> None:
    server = nats_server_with_users
    async with open_nats(server.url, name="operator") as operator:
        await declare(operator.jetstream())
    async with open_nats(server.url_of("agent"), name="test") as client, opened(client) as agent:
        with pytest.raises(PublishRejectedError, match="permissions violation"):
            await agent.send(conditional("swarm.coordination.plain"))
