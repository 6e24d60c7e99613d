"""The statements of verification on the real engine, where no tampering leads to them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from infrastructure.errors import InsertRejectedError
from infrastructure.history.client import HistoryClient, open_history
from infrastructure.history.config import HistoryConfig
from infrastructure.history.migrate import migrate
from infrastructure.history.verify.messages import Messages
from infrastructure.history.verify.refusal import refused_positions
from infrastructure.history.verify.scratch import scratch_name
from infrastructure.history.verify.store import open_store
from infrastructure.history.verify.stretch import Stretch, make_maker
from tests.support.history import run_python
from tests.support.ledgered import STREAM, Appender, life_of
from tests.support.owner import running_owner


def _stretch() -> Stretch:
    events = life_of("e1", 4)
    messages = Messages(
        [1, 2, 3, 4], [subject.encode() for subject, _ in events], [raw for _, raw in events]
    )
    return make_maker(STREAM, from_start=True, to_end=True).make(messages, 1, 4)


@pytest.fixture
def history(history_dsn: str) -> Iterator[HistoryClient]:
    with open_history(HistoryConfig(dsn=history_dsn)) as client:
        migrate(client)
        yield client


async def test_rows_that_the_engine_cannot_decode_are_found_by_halving(
    history: HistoryClient,
) -> None:
    events = life_of("e1", 9)
    messages = Messages(
        list(range(1, 10)), [subject.encode() for subject, _ in events], [raw for _, raw in events]
    )
    maker = make_maker(STREAM, from_start=True, to_end=True)
    stretch = maker.make(messages, 1, 9)
    parts = list(stretch.parts)
    for position in (2, 7):
        parts[2 * position + 1] = b"\xff" * len(parts[2 * position + 1])
    async with open_store(history) as store:
        assert refused_positions(store, parts) == {2, 7}
        assert refused_positions(store, stretch.parts) == set()
        again = maker.again(messages, 1, 9, set(), {2, 7})
        store.load(again.pieces, 9)
        assert again.facts() == stretch.facts()


async def test_refusals_that_say_nothing_of_the_rows_blame_none(history: HistoryClient) -> None:
    stretch = _stretch()
    async with open_store(history) as store:
        history.command("drop table swarm.events_probe")
        with pytest.raises(InsertRejectedError):
            refused_positions(store, stretch.parts)


async def test_an_engine_that_refuses_every_row_is_not_believed(history: HistoryClient) -> None:
    stretch = _stretch()
    async with open_store(history) as store:
        history.command("drop table swarm.events_probe")
        history.command(
            "create table swarm.events_probe (stream_seq UInt64, "
            "constraint nothing check stream_seq > 1000) engine = Memory"
        )
        with pytest.raises(InsertRejectedError):
            refused_positions(store, stretch.parts)


async def test_numbers_of_emitters_with_huge_ids_are_compared(tmp_path: Path) -> None:
    with (
        running_owner(tmp_path / "home") as owner,
        open_history(HistoryConfig(dsn=owner.writer_dsn)) as history,
    ):
        assert await conflicts_of_huge_ids(history) == [
            ("a", 1, 3),
            ("a", 2, 4),
            ("b", 1, 7),
            ("b", 2, 8),
        ]


async def conflicts_of_huge_ids(history: HistoryClient) -> list[tuple[str, int, int]]:
    ids = [character * 400_000 for character in "ab"]
    twice = [event for name in ids for _ in range(2) for event in life_of(name, 2)]
    messages = [(at, *event) for at, event in enumerate(twice, 1)]
    migrate(history)
    Appender(history, f"{STREAM}@2026-01-01T00:00:00Z").append(messages)
    numbers = {(name, number) for name in ids for number in (1, 2, 3)}
    numbers |= {(f"emitter-{number}", number) for number in range(10_000)}
    async with open_store(history) as store:
        found = await asyncio.to_thread(store.conflicts, STREAM, numbers)
    return [(one.emitter_id[0], one.number, one.last) for one in found]


def name_of_a_dead_process() -> str:
    text = "from infrastructure.history.verify.scratch import scratch_name; print(scratch_name())"
    return run_python(text).strip()


async def test_what_killed_runs_left_behind_is_dropped_and_nothing_else(
    history: HistoryClient,
) -> None:
    dead = await asyncio.to_thread(name_of_a_dead_process)
    kept = [scratch_name(), "swarm_verify_0123456789ab", "swarm_verify_00000000_1_0123"]
    for name in (dead, *kept):
        history.command(f"create database {name}")
    try:
        async with open_store(history):
            pass
        rows = history.query("select name from system.databases where name like 'swarm_verify%'")
        assert sorted(row["name"] for row in rows) == sorted(kept)
    finally:  # the engine is shared with the other tests of this process
        for name in (dead, *kept):
            history.command(f"drop database if exists {name}")


async def test_a_readable_history_has_no_damaged_ranges(history: HistoryClient) -> None:
    async with open_store(history) as store:
        assert store.damaged_ranges(STREAM, 1, 1000) == []
