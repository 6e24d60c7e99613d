"""Group commit on a real nats-server: what is acked is stored once, in order, whatever breaks."""

import asyncio
import uuid

import pytest

from nervous_system.comms.commit import open_committer
from nervous_system.comms.connection import BusClient, open_nats
from nervous_system.comms.contracts import Outgoing, Wait
from nervous_system.comms.entry import CommitLimits
from nervous_system.comms.lookup import StreamLookup
from nervous_system.comms.streams import EVENTS_STREAM, StreamConfig, declare_stream
from nervous_system.errors import (
    BusClosedError,
    InvalidEventError,
    PublishRejectedError,
    PublishTimeoutError,
)
from tests.support.bus import build_life, build_outgoing, numbers_of, pause, read_stream
from tests.support.eventually import eventually
from tests.support.proxy import FaultyLink
from tests.support.servers import NatsServer

IMPATIENT = CommitLimits(ack_timeout=0.3, max_retry_wait=0.1)


async def test_single_event_is_stored_with_its_bytes_and_headers(
    client: BusClient, lookup: StreamLookup
) -> None:
    outgoing = build_outgoing(1, emitter_id="e1")
    async with open_committer(client, lookup) as committer:
        receipt = await committer.submit(outgoing, Wait.ACK, 5)
    message = await client.jetstream().get_msg(EVENTS_STREAM, receipt.sequence or 0)
    assert receipt.stream == EVENTS_STREAM
    assert message.data == outgoing.payload
    assert message.headers == {"Nats-Msg-Id": outgoing.event_id, "Swarm-Emitter": "e1:1"}


async def test_traceparent_travels_in_the_headers(client: BusClient, lookup: StreamLookup) -> None:
    plain = build_outgoing()
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    outgoing = Outgoing(
        subject=plain.subject,
        payload=plain.payload,
        event_id=plain.event_id,
        headers={"traceparent": traceparent},
    )
    async with open_committer(client, lookup) as committer:
        receipt = await committer.submit(outgoing, Wait.ACK, 5)
    message = await client.jetstream().get_msg(EVENTS_STREAM, receipt.sequence or 0)
    assert (message.headers or {})["traceparent"] == traceparent


async def test_many_waiting_callers_share_batches_and_each_gets_its_own_sequence(
    client: BusClient, lookup: StreamLookup
) -> None:
    events = [one for lane in range(40) for one in build_life(f"e{lane}", 30)]
    async with open_committer(client, lookup) as committer:
        receipts = await asyncio.gather(*(committer.submit(one, Wait.ACK, 20) for one in events))
    stored = {one.event_id: one.sequence for one in await read_stream(client.jetstream())}
    assert {one.event_id: one.sequence for one in receipts} == stored
    assert len(stored) == len(events)


async def test_events_of_an_emitter_are_stored_in_the_order_of_submission(
    client: BusClient, lookup: StreamLookup
) -> None:
    lanes = [build_life(f"e{lane}", 60) for lane in range(12)]
    async with open_committer(client, lookup) as committer:
        tasks = [
            committer.submit(one, Wait.ACK, 20)
            for group in zip(*lanes, strict=True)
            for one in group
        ]
        await asyncio.gather(*tasks)
    stored = await read_stream(client.jetstream())
    for lane in range(12):
        assert numbers_of(stored, f"e{lane}") == list(range(1, 61))


async def test_repeated_id_is_answered_with_the_first_ones_sequence(
    client: BusClient, lookup: StreamLookup
) -> None:
    outgoing = build_outgoing()
    async with open_committer(client, lookup) as committer:
        first = await committer.submit(outgoing, Wait.ACK, 5)
        second = await committer.submit(outgoing, Wait.ACK, 5)
    assert (second.sequence, second.duplicate) == (first.sequence, True)


async def test_known_id_in_a_batch_does_not_doom_its_neighbours(
    client: BusClient, lookup: StreamLookup
) -> None:
    events = build_life("e1", 40)
    async with open_committer(client, lookup) as committer:
        first = await committer.submit(build_outgoing(event_id=events[20].event_id), Wait.ACK, 5)
        receipts = await asyncio.gather(*(committer.submit(one, Wait.ACK, 20) for one in events))
    stored = await read_stream(client.jetstream())
    assert [one.duplicate for one in receipts] == [one is events[20] for one in events]
    assert receipts[20].sequence == first.sequence
    assert numbers_of(stored, "e1") == [*range(1, 21), *range(22, 41)]


async def test_oversize_event_is_refused_and_its_neighbours_are_stored(
    client: BusClient, lookup: StreamLookup
) -> None:
    events = build_life("e1", 30)
    events[10] = build_outgoing(11, emitter_id="e1", payload=bytes(client.max_payload))
    async with open_committer(client, lookup) as committer:
        outcomes = await asyncio.gather(
            *(committer.submit(one, Wait.ACK, 20) for one in events), return_exceptions=True
        )
    stored = await read_stream(client.jetstream())
    assert isinstance(outcomes[10], PublishRejectedError)
    assert numbers_of(stored, "e1") == [*range(1, 11), *range(12, 31)]


async def test_refused_event_is_replaced_by_its_tombstone_in_its_place(
    client: BusClient, lookup: StreamLookup
) -> None:
    events = build_life("e1", 30)
    events[10] = build_outgoing(11, emitter_id="e1", payload=bytes(client.max_payload))
    reasons = []

    def make_tombstone(refused: Outgoing, reason: str) -> Outgoing:
        reasons.append((refused.emitter_seq, reason))
        return build_outgoing(refused.emitter_seq, emitter_id="e1", payload=b"tombstone")

    async with open_committer(client, lookup, make_tombstone=make_tombstone) as committer:
        outcomes = await asyncio.gather(
            *(committer.submit(one, Wait.ACK, 20) for one in events), return_exceptions=True
        )
        await committer.drain(10)
        assert committer.tombstone_count == 1
    stored = await read_stream(client.jetstream())
    assert isinstance(outcomes[10], PublishRejectedError)
    assert [number for number, _ in reasons] == [11]
    assert numbers_of(stored, "e1") == list(range(1, 31))
    assert stored[10].payload == b"tombstone"


async def test_subject_that_the_user_may_not_use_is_refused_alone_and_at_once(
    nats_server_with_users: NatsServer,
) -> None:
    server = nats_server_with_users
    async with open_nats(server.url, name="operator") as operator:
        await declare_stream(
            operator.jetstream(),
            StreamConfig(name=EVENTS_STREAM, subjects=("swarm.events.>",), max_bytes=2**26),
        )
        async with open_nats(server.url_of("publisher"), name="publisher") as client:
            lookup = StreamLookup(client.jetstream(), EVENTS_STREAM, server.url)
            allowed = [
                build_outgoing(number, emitter_id="e1", subject="swarm.events.coder.decision")
                for number in range(1, 30)
            ]
            allowed.insert(9, build_outgoing(99, emitter_id="e1"))
            async with open_committer(client, lookup) as committer:
                outcomes = await asyncio.gather(
                    *(committer.submit(one, Wait.ACK, 20) for one in allowed),
                    return_exceptions=True,
                )
        stored = await read_stream(operator.jetstream())
    refused = outcomes.pop(9)
    assert isinstance(refused, PublishRejectedError)
    assert not [one for one in outcomes if isinstance(one, BaseException)]
    assert numbers_of(stored, "e1") == list(range(1, 30))


async def test_stored_batch_whose_ack_was_lost_is_not_stored_again(
    client: BusClient, linked_client: BusClient, link: FaultyLink, lookup: StreamLookup
) -> None:
    events = [*build_life("e1", 25), *build_life("e2", 25)]
    async with open_committer(linked_client, lookup, limits=IMPATIENT) as committer:
        await committer.submit(build_outgoing(), Wait.ACK, 5)
        link.swallows_answers = True
        waiting = [asyncio.ensure_future(committer.submit(one, Wait.ACK, 30)) for one in events]
        await eventually(lambda: _has_messages(client, 51))
        link.swallows_answers = False
        link.cut()
        receipts = await asyncio.gather(*waiting)
    stored = await read_stream(client.jetstream())
    assert all(one.duplicate for one in receipts)
    assert numbers_of(stored, "e1") == numbers_of(stored, "e2") == list(range(1, 26))


async def test_writes_to_a_connection_that_has_just_broken_fill_no_log(
    linked_client: BusClient, link: FaultyLink, caplog: pytest.LogCaptureFixture
) -> None:
    link.cut()
    await asyncio.sleep(0)  # the sockets are closed in the next turn
    for _ in range(20):
        linked_client.write_frames(b"PING\r\n")
    assert caplog.records == []


async def test_unknown_outcome_older_than_the_duplicate_window_is_looked_up(
    client: BusClient, linked_client: BusClient, link: FaultyLink, lookup: StreamLookup
) -> None:
    """The server forgets ids after 100 ms here, so a blind repeat would be stored twice."""
    jetstream = client.jetstream()
    config = (await jetstream.stream_info(EVENTS_STREAM)).config
    await jetstream.update_stream(config.evolve(duplicate_window=0.1))
    limits = CommitLimits(ack_timeout=0.2, duplicate_window=0.1)
    events = build_life("e1", 25)
    async with open_committer(linked_client, lookup, limits=limits) as committer:
        link.swallows_answers = True
        waiting = [asyncio.ensure_future(committer.submit(one, Wait.ACK, 30)) for one in events]
        await eventually(lambda: _has_messages(client, 25))
        link.refuses = True
        link.cut()
        await eventually(lambda: _is_forgotten(client, events[0]))
        link.swallows_answers = link.refuses = False
        receipts = await asyncio.gather(*waiting)
    stored = [one for one in await read_stream(jetstream) if one.emitter]
    assert numbers_of(stored, "e1") == list(range(1, 26))
    assert [one.sequence for one in receipts] == [one.sequence for one in stored]
    assert all(one.duplicate for one in receipts)


async def test_server_killed_under_load_loses_and_doubles_nothing(
    client: BusClient, nats_server: NatsServer, lookup: StreamLookup
) -> None:
    lanes = [build_life(f"e{lane}", 150) for lane in range(8)]
    async with open_committer(client, lookup, limits=IMPATIENT) as committer:
        waiting = [
            asyncio.ensure_future(committer.submit(one, Wait.ACK, 50))
            for group in zip(*lanes, strict=True)
            for one in group
        ]
        for kill_at in (100, 500):
            await eventually(lambda: sum(one.done() for one in waiting) >= kill_at)  # noqa: B023
            await asyncio.to_thread(nats_server.kill)
            await asyncio.to_thread(nats_server.start)
        receipts = await asyncio.gather(*waiting)
    stored = await read_stream(client.jetstream())
    assert {(one.event_id, one.sequence) for one in receipts} == {
        (one.event_id, one.sequence) for one in stored
    }
    for lane in range(8):
        assert numbers_of(stored, f"e{lane}") == list(range(1, 151))


async def test_silent_server_ends_the_wait_and_the_event_stays_on_its_way(
    client: BusClient, nats_server: NatsServer, lookup: StreamLookup
) -> None:
    outgoing = build_outgoing()
    async with open_committer(client, lookup) as committer:
        await pause(nats_server)
        with pytest.raises(PublishTimeoutError) as caught:
            await committer.submit(outgoing, Wait.ACK, 0.2)
        nats_server.resume()
        await committer.drain(20)
    assert caught.value.event_id == outgoing.event_id
    assert [one.event_id for one in await read_stream(client.jetstream())] == [outgoing.event_id]


async def test_full_stream_makes_callers_wait_and_room_lets_them_through(
    client: BusClient, lookup: StreamLookup
) -> None:
    jetstream = client.jetstream()
    config = (await jetstream.stream_info(EVENTS_STREAM)).config
    await jetstream.update_stream(config.evolve(max_msgs=1))
    async with open_committer(client, lookup, limits=IMPATIENT) as committer:
        await committer.submit(build_outgoing(), Wait.ACK, 5)
        with pytest.raises(PublishTimeoutError):
            await committer.submit(build_outgoing(), Wait.ACK, 0.3)
        await jetstream.update_stream(config.evolve(max_msgs=-1))
        receipt = await committer.submit(build_outgoing(), Wait.ACK, 20)
        await committer.drain(20)
    assert receipt.sequence is not None
    assert len(await read_stream(jetstream)) == 3


async def test_missing_stream_is_waited_for(nats_server: NatsServer) -> None:
    async with open_nats(nats_server.url, name="test") as client:
        lookup = StreamLookup(client.jetstream(), EVENTS_STREAM, nats_server.url)
        async with open_committer(client, lookup, limits=IMPATIENT) as committer:
            waiting = asyncio.ensure_future(committer.submit(build_outgoing(), Wait.ACK, 20))
            with pytest.raises(PublishTimeoutError):
                await committer.submit(build_outgoing(), Wait.ACK, 0.2)
            await client.jetstream().add_stream(
                name=EVENTS_STREAM, subjects=["swarm.events.>"], allow_atomic=True
            )
            assert (await waiting).stream == EVENTS_STREAM


async def test_cancelled_caller_leaves_the_others_alone(
    client: BusClient, lookup: StreamLookup
) -> None:
    events = build_life("e1", 30)
    async with open_committer(client, lookup) as committer:
        waiting = [asyncio.ensure_future(committer.submit(one, Wait.ACK, 20)) for one in events]
        await asyncio.sleep(0)
        waiting[3].cancel()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        await committer.drain(10)
    assert isinstance(outcomes[3], asyncio.CancelledError)
    assert numbers_of(await read_stream(client.jetstream()), "e1") == list(range(1, 31))


async def test_room_is_bounded_and_waited_for(client: BusClient, lookup: StreamLookup) -> None:
    limits = CommitLimits(max_waiting=5)
    events = build_life("e1", 50)
    highest = 0
    async with open_committer(client, lookup, limits=limits) as committer:

        async def publish(outgoing: Outgoing) -> None:
            nonlocal highest
            await committer.submit(outgoing, Wait.ACK, 20)
            highest = max(highest, committer.unsettled_count)

        await asyncio.gather(*(publish(one) for one in events))
    assert highest <= 5 + len(events)  # callers that found room together
    assert len(await read_stream(client.jetstream())) == 50


async def test_event_with_a_header_that_breaks_out_is_refused(
    client: BusClient, lookup: StreamLookup
) -> None:
    plain = build_outgoing()
    outgoing = Outgoing(
        subject=plain.subject,
        payload=plain.payload,
        event_id=plain.event_id,
        headers={"traceparent": "x\r\nNats-Rollup: all"},
    )
    async with open_committer(client, lookup) as committer:
        with pytest.raises(InvalidEventError, match="line break"):
            await committer.submit(outgoing, Wait.ACK, 5)


async def test_publishing_after_the_end_raises(client: BusClient, lookup: StreamLookup) -> None:
    async with open_committer(client, lookup) as committer:
        pass
    with pytest.raises(BusClosedError):
        await committer.submit(build_outgoing(), Wait.ACK, 1)


async def test_first_connection_that_comes_late_is_used(
    nats_server: NatsServer, link: FaultyLink, client: BusClient, lookup: StreamLookup
) -> None:
    link.refuses = True
    async with (
        open_nats(link.url, name="late", timeout=0.1, is_required=False) as late,
        open_committer(late, lookup) as committer,
    ):
        waiting = asyncio.ensure_future(committer.submit(build_outgoing(), Wait.ACK, 20))
        with pytest.raises(PublishTimeoutError):
            await committer.submit(build_outgoing(event_id=str(uuid.uuid4())), Wait.ACK, 0.1)
        link.refuses = False
        assert (await waiting).sequence is not None


async def _has_messages(client: BusClient, count: int) -> bool:
    info = await client.jetstream().stream_info(EVENTS_STREAM)
    return bool(info.state.messages >= count)


async def _is_forgotten(client: BusClient, outgoing: Outgoing) -> bool:
    """Publish the id elsewhere, until the server no longer knows it."""
    ack = await client.jetstream().publish(
        "swarm.events.probe.probe", b"", headers={"Nats-Msg-Id": outgoing.event_id}
    )
    return not ack.duplicate
