"""Repair: what was damaged is rebuilt from the stream, and the heads noted earlier hold again."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from infrastructure.history.client import open_history
from infrastructure.history.config import HistoryConfig
from infrastructure.history.migrate import migrate
from infrastructure.history.verify.bus_source import BusSource
from infrastructure.history.verify.repair import mend
from infrastructure.history.verify.repair_plan import Range
from infrastructure.history.verify.repair_table import RepairTable
from infrastructure.ingestor.ledger import format_head
from tests.support.ledgered import STREAM, life_of
from tests.support.verified import SmallSwarm, small_swarm


@pytest.fixture
async def swarm(nats_url: str, history_dsn: str) -> AsyncIterator[SmallSwarm]:
    """Two whole lives and a message that is no event, 61 in batches of 20, all noted."""
    with open_history(HistoryConfig(dsn=history_dsn)) as history:
        migrate(history)
        async with small_swarm(nats_url, history) as swarm:
            await swarm.publish(life_of("e1", 40) + life_of("e2", 20))
            await swarm.publish([("swarm.events.x.y", b"\xff no event")])
            await swarm.ingest()
            yield swarm


def heads(swarm: SmallSwarm) -> list[str]:
    rows = swarm.history.query("select head from swarm.ledger order by stream_seq")
    return [str(row["head"]) for row in rows]


DEEDS = {
    "column": "alter table swarm.events update rationale = 'x' where stream_seq in (3, 55)",
    "every row": "alter table swarm.events update detail = 'x' where 1",
    "runs across batches": "alter table swarm.events update detail = 'x' "
    "where stream_seq in (5, 6, 18, 19, 20, 21, 22, 39, 40, 41)",
    "raw": "alter table swarm.events update raw = 'x' where stream_seq = 30",
    "subject": "alter table swarm.events update subject = 'x' where stream_seq = 30",
    "deleted": "alter table swarm.events delete where stream_seq = 12",
    "batch end": "alter table swarm.events delete where stream_seq = 40",
    "range": "alter table swarm.events delete where stream_seq between 15 and 45",
    "beginning": "alter table swarm.events delete where stream_seq < 30",
    "tail": "alter table swarm.events delete where stream_seq > 33",
    "whole batches of the tail": "alter table swarm.events delete where stream_seq > 20",
    "doubled": "insert into swarm.events select * from swarm.events where stream_seq > 50",
    "root": "alter table swarm.events update ledger_root = 'x' where stream_seq = 40",
    "link": "alter table swarm.events update ledger_prev = 'x' where stream_seq = 40",
    "count": "alter table swarm.events update ledger_count = 0 where stream_seq = 40",
}


@pytest.mark.parametrize("deed", DEEDS)
async def test_damage_is_repaired_and_every_noted_head_holds_again(
    swarm: SmallSwarm, deed: str
) -> None:
    swarm.alter(DEEDS[deed])
    assert await swarm.problems() != []
    await swarm.repair()
    assert await swarm.problems() == []
    assert await swarm.unproven() <= {"unnumbered"}
    assert heads(swarm) == [format_head(head) for head in swarm.appender.heads]


async def test_sound_rows_of_a_repaired_partition_keep_their_time_of_ingestion(
    swarm: SmallSwarm,
) -> None:
    asked = "select ingested_at from swarm.events where stream_seq = 60"
    before = swarm.history.query(asked)
    swarm.alter(DEEDS["column"].replace("55", "4"))
    await swarm.repair()
    assert swarm.history.query(asked) == before


async def test_rows_that_the_stream_no_longer_has_survive_a_repair(swarm: SmallSwarm) -> None:
    await swarm.js.purge_stream(STREAM, seq=31)
    swarm.alter("alter table swarm.events update rationale = 'x' where stream_seq in (7, 35)")
    await swarm.repair()
    assert await swarm.problems() == []


async def test_what_stream_and_history_both_lost_is_refused_and_still_reported(
    swarm: SmallSwarm,
) -> None:
    await swarm.js.purge_stream(STREAM, seq=31)
    swarm.alter("alter table swarm.events delete where stream_seq = 7")
    swarm.alter("alter table swarm.events update rationale = 'x' where stream_seq = 55")
    outcome = await swarm.repair()
    assert len(outcome.refused) == 1
    assert {kind for kind, _ in await swarm.problems()} == {
        "ledger_count",
        "ledger_root",
        "emitter_gap",
    }
    assert swarm.history.query("select count() as c from swarm.events") == [{"c": 60}]


async def test_rows_beyond_the_end_of_the_stream_are_never_dropped(swarm: SmallSwarm) -> None:
    """They may be all that is left of what the bus has lost."""
    swarm.alter(
        "insert into swarm.events select * replace(99 as stream_seq) "
        "from (select * from swarm.events where stream_seq = 3)"
    )
    await swarm.repair()
    assert ("history_ahead", 62) in await swarm.problems()
    assert swarm.history.query("select count() as c from swarm.events") == [{"c": 62}]


async def test_a_message_that_only_the_stream_lost_is_kept_by_a_repair(swarm: SmallSwarm) -> None:
    await swarm.js.delete_msg(STREAM, 17)
    swarm.alter("alter table swarm.events update rationale = 'x' where stream_seq = 18")
    await swarm.repair()
    assert [problem for problem in await swarm.problems() if problem[0] != "emitter_gap"] == [
        ("message_dropped", 17)
    ]
    assert swarm.history.query("select count() as c from swarm.events") == [{"c": 61}]


async def test_a_crash_before_the_replacement_leaves_history_as_it_was(swarm: SmallSwarm) -> None:
    """The next repair drops what the crashed one left behind."""
    swarm.alter(DEEDS["column"])
    left_behind = RepairTable(swarm.history, STREAM)
    left_behind.create()
    swarm.alter("insert into swarm_repair.rows select * from swarm.events limit 5")
    assert {kind for kind, _ in await swarm.problems()} == {"column_changed"}
    await swarm.repair()
    assert await swarm.problems() == []


class AppendedTo(RepairTable):
    """Has somebody append to history once, when the rows to be kept have been copied."""

    def __init__(self, swarm: SmallSwarm) -> None:
        super().__init__(swarm.history, STREAM)
        self._swarm = swarm
        self.waiting = list[tuple[int, str, bytes]]()

    def _check(self, first: int, last: int) -> None:
        super()._check(first, last)
        for at in range(0, len(self.waiting), 3):
            self._swarm.appender.append(self.waiting[at : at + 3])
        self.waiting = []


async def test_rows_appended_while_a_partition_is_put_together_are_kept(swarm: SmallSwarm) -> None:
    table = AppendedTo(swarm)
    await swarm.publish(life_of("e3", 7))
    table.waiting = swarm.messages[61:]
    table.create()
    table.keep_and_replace(0, [(5, 4)])
    table.drop()
    for head in swarm.appender.heads[-3:]:
        await swarm.note(head)
    assert await swarm.problems() == []
    assert swarm.history.query("select count() as c from swarm.events") == [{"c": 68}]


async def test_a_damaged_part_is_named_and_repaired(swarm: SmallSwarm) -> None:
    """One bit on disk: queries throw, verification names the range, repair rebuilds it."""
    swarm.alter("optimize table swarm.events final")
    parts = swarm.history.query(
        "select path from system.parts where database = 'swarm' and table = 'events' and active"
    )
    for part in parts:
        file = Path(part["path"]) / "data.bin"
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
    swarm.alter("system drop mark cache")
    swarm.alter("system drop uncompressed cache")
    assert {kind for kind, _ in await swarm.problems()} >= {"damaged_range"}
    await swarm.repair()
    assert await swarm.problems() == []


async def test_rows_that_are_lost_in_the_moment_of_a_repair_are_repaired_too(
    swarm: SmallSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ingestor appended them between the last look at a partition and its replacement."""
    replace, calls = RepairTable.keep_and_replace, list[int]()

    def lose(table: RepairTable, partition: int, written: Sequence[Range]) -> None:
        replace(table, partition, written)
        if not calls:
            swarm.alter("alter table swarm.events delete where stream_seq between 21 and 40")
        calls.append(partition)

    monkeypatch.setattr(RepairTable, "keep_and_replace", lose)
    swarm.alter(DEEDS["column"].replace("55", "4"))
    source = BusSource(swarm.url, swarm.client)
    found, done = await mend(swarm.history, source, await swarm.verify(), swarm.verify)
    assert calls == [0, 0]
    assert found.report.problems == []
    assert done.repaired == [f"{STREAM}#1 to #20", f"{STREAM}#21 to #60"]
