"""What verification looks at: no stream, no head and no lost message goes unsaid."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from infrastructure.errors import QueryFailedError
from infrastructure.history.client import open_history
from infrastructure.history.config import HistoryConfig
from infrastructure.history.migrate import migrate
from infrastructure.history.verify.bus_source import BusSource
from infrastructure.history.verify.service import is_cut_off, is_noted
from infrastructure.history.verify.store import VerifyStore
from infrastructure.ingestor.ledger import Head, format_head
from nervous_system.comms.streams import (
    COORDINATION_STREAM,
    EVENTS_STREAM,
    StreamConfig,
    declare_streams,
    stream_identity,
)
from tests.support.ledgered import Appender, life_of
from tests.support.verified import SmallSwarm, between, small_swarm

ANOTHER_ROOT = b"\x01" * 32


@pytest.fixture
async def empty(nats_url: str, history_dsn: str) -> AsyncIterator[SmallSwarm]:
    with open_history(HistoryConfig(dsn=history_dsn)) as history:
        migrate(history)
        async with small_swarm(nats_url, history) as swarm:
            yield swarm


@pytest.fixture
async def swarm(empty: SmallSwarm) -> SmallSwarm:
    """A whole life of 40 events in batches of 20, in history and noted."""
    await empty.publish(life_of("e1", 40))
    await empty.ingest()
    return empty


async def coordinate(swarm: SmallSwarm, name: str = COORDINATION_STREAM, count: int = 5) -> Head:
    """Fill a second stream and history with it; return its head, which is not noted."""
    subject = f"swarm.{name}.>"
    declared = StreamConfig(name=name, subjects=(subject,), max_bytes=1 << 24)
    found = await declare_streams(swarm.js, (declared,))
    appender = Appender(
        swarm.history, stream_identity(found[name]), stream=name, head=Head(name, 0)
    )
    messages = []
    for _, raw in life_of(f"of-{name}", count):
        ack = await swarm.js.publish(f"swarm.{name}.x", raw)
        messages.append((ack.seq, f"swarm.{name}.x", raw))
    return await asyncio.to_thread(appender.append, messages)


@pytest.mark.parametrize("name", [COORDINATION_STREAM, "ANOTHER_STREAM"])
async def test_a_stream_that_lost_all_its_rows_is_cut(swarm: SmallSwarm, name: str) -> None:
    await swarm.note(await coordinate(swarm, name))
    assert await swarm.problems() == []
    swarm.alter(f"alter table swarm.events delete where stream = '{name}'")
    assert await swarm.problems() == [("tail_cut", 1)]
    assert await is_cut_off(swarm.history, BusSource(swarm.url, swarm.client))


async def test_a_stream_whose_rows_and_messages_are_gone_fails_a_head_noted_by_a_person(
    swarm: SmallSwarm,
) -> None:
    head = await coordinate(swarm, "ANOTHER_STREAM")
    assert await swarm.problems(expected=(head,)) == []
    swarm.alter("alter table swarm.events delete where stream = 'ANOTHER_STREAM'")
    await swarm.js.delete_stream("ANOTHER_STREAM")
    assert await swarm.problems(expected=(head,)) == [("head_mismatch", 5)]


async def test_every_streams_head_has_to_be_noted(swarm: SmallSwarm) -> None:
    source = BusSource(swarm.url, swarm.client)
    assert await is_noted(swarm.history, source)
    head = await coordinate(swarm)
    assert not await is_noted(swarm.history, source)
    await swarm.note(head)
    assert await is_noted(swarm.history, source)


async def test_names_of_streams_that_cannot_be_read_are_damage(
    swarm: SmallSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(store: VerifyStore) -> list[str]:
        raise QueryFailedError(code=40, reason="checksum does not match")

    monkeypatch.setattr(VerifyStore, "streams", damaged)
    assert await swarm.problems() == [("damaged_range", 1)]


async def test_a_head_of_a_stream_that_nobody_knows_is_a_mismatch(swarm: SmallSwarm) -> None:
    misspelt = Head("ENCHANTED_SWRAM", 5, ANOTHER_ROOT)
    (problem,) = (await swarm.verify(expected=(misspelt,))).report.problems
    assert (problem.kind, problem.stream) == ("head_mismatch", "ENCHANTED_SWRAM")


async def test_expected_heads_outside_the_wanted_range_are_told(swarm: SmallSwarm) -> None:
    before, after = (Head(EVENTS_STREAM, at, ANOTHER_ROOT) for at in (10, 40))
    for head, wanted in ((before, between(21, 40)), (after, between(1, 20))):
        report = (await swarm.verify(expected=(head,), wanted=wanted)).report
        told = [item.detail for item in report.unproven if item.kind == "partial_range"]
        assert any(format_head(head) in detail for detail in told)


async def test_an_expected_head_before_all_that_is_left_is_a_mismatch(swarm: SmallSwarm) -> None:
    await swarm.js.purge_stream(EVENTS_STREAM, seq=21)
    swarm.alter("alter table swarm.events delete where stream_seq <= 20")
    problems = await swarm.problems(expected=(Head(EVENTS_STREAM, 20, ANOTHER_ROOT),))
    assert ("head_mismatch", 20) in problems


@pytest.mark.parametrize(
    ("removed", "told"), [((4, 5, 6, 9), [4, 9]), ((1, 2), [1]), ((1, 5), [1, 5])]
)
async def test_messages_removed_before_they_were_ingested_are_told(
    empty: SmallSwarm, removed: tuple[int, ...], told: list[int]
) -> None:
    await empty.publish(life_of("e1", 12))
    for sequence in removed:
        await empty.js.delete_msg(EVENTS_STREAM, sequence)
    empty.messages = [message for message in empty.messages if message[0] not in removed]
    await empty.ingest()
    report = (await empty.verify()).report
    found = [item.sequence for item in report.unproven if item.kind == "never_stored"]
    assert found == told


async def test_messages_removed_after_they_were_ingested_are_not_called_lost(
    swarm: SmallSwarm,
) -> None:
    await swarm.js.delete_msg(EVENTS_STREAM, 7)
    await swarm.js.purge_stream(EVENTS_STREAM, seq=5)
    assert "never_stored" not in await swarm.unproven()


async def test_a_repeat_whose_original_was_pruned_stays_one(swarm: SmallSwarm) -> None:
    head, original = swarm.appender.heads[0], swarm.messages[4]
    await swarm.publish([original[1:]])
    await swarm.ingest()
    swarm.alter(
        "insert into swarm.pruned_heads (stream, first_seq, last_seq, event_count, "
        f"stream_identity, head) values ('{head.stream}', 1, 20, 20, '', '{format_head(head)}')"
    )
    swarm.alter("alter table swarm.events delete where stream_seq <= 20")
    verification = await swarm.verify()
    assert verification.report.problems == []
    assert verification.streams[0].outcome.repeated == {41}
    swarm.alter("alter table swarm.events update rationale = 'x' where stream_seq = 41")
    await swarm.repair()
    assert await swarm.problems() == []
    rows = swarm.history.query("select is_repeated from swarm.events where stream_seq = 41")
    assert rows == [{"is_repeated": 1}]
