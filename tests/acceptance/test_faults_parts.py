"""The owner of history killed in the middle of an insert, and when a part gets its name.

That is where a deduplication token would lose a batch, and where half a batch could show.
"""

import sys
from pathlib import Path
from random import Random

import pytest

from tests.support.chaos import PUBLISHER, SECOND_INGESTOR, chaos_around, check_account, choose_seed
from tests.support.chaos_moments import IN_CREATE, IN_MOVED_FROM, Moment, watch_directory
from tests.support.chaos_parts import Parts, parts_at

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs inotify")

INSERT = "tmp_insert_"
MERGE = "tmp_merge_"
LONGEST_DELAY_SECONDS = 0.006
"""About as long as a small part is written for."""
SHORT_KILLS = 6
LONG_KILLS = 250


@pytest.mark.timeout(150)
def test_kills_at_inserts_and_renames_leave_whole_batches(tmp_path: Path) -> None:
    """Every batch is there as a whole or not at all, and whoever comes next goes on behind it."""
    strike_and_account(tmp_path, SHORT_KILLS)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_hundreds_of_kills_at_inserts_and_renames(tmp_path: Path) -> None:
    """The same, for long."""
    strike_and_account(tmp_path, LONG_KILLS)


def strike_and_account(tmp_path: Path, kills: int) -> None:
    unfinished = 0
    with (
        parts_at(tmp_path / "home") as parts,
        chaos_around(parts.stack, tmp_path / "chaos", choose_seed()) as chaos,
    ):
        parts.settings = {"SWARM_INGESTOR_ROWS": "50"}
        parts.start("history", "ingestor")
        chaos.start(PUBLISHER)
        chaos.start(SECOND_INGESTOR)
        table = table_directory(parts)
        with watch_directory(table) as watch:
            for number in range(kills):
                moment = choose_moment(number, chaos.random)
                watch.strike(moment, parts.processes["history"].kill, timeout=40)
                parts.kill("history")
                unfinished += any(entry.name.startswith(INSERT) for entry in table.iterdir())
                parts.start("history")
        chaos.settle()
        check_account(parts.stack, chaos.promises())
        assert unfinished, "no kill came in the middle of an insert"


def choose_moment(number: int, random: Random) -> Moment:
    """Return each kind of moment in turn; merges are rarer."""
    moments = (
        Moment(mask=IN_CREATE, prefix=INSERT),
        Moment(mask=IN_MOVED_FROM, prefix=INSERT),
        Moment(
            mask=IN_CREATE, prefix=INSERT, delay_seconds=random.uniform(0, LONGEST_DELAY_SECONDS)
        ),
        Moment(mask=random.choice((IN_CREATE, IN_MOVED_FROM)), prefix=MERGE),
    )
    return moments[number % len(moments)]


def table_directory(parts: Parts) -> Path:
    """Return where the engine keeps the parts of swarm.events."""
    [row] = parts.query(
        "select data_paths[1] as path from system.tables "
        "where database = 'swarm' and name = 'events'"
    )
    return Path(row["path"])
