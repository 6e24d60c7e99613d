"""A repair that is killed: no row is ever lost, whenever it happens."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.history import run_python
from tests.support.repairing import COUNT

LOOK = """
import json, sys
from infrastructure.history.client import open_history
from infrastructure.history.config import HistoryConfig
with open_history(HistoryConfig(dsn="chdb://" + sys.argv[1])) as history:
    rows = history.query(
        "select count() as rows, uniqExact(stream_seq) as sequences, "
        "countIf(rationale = 'x') as bad, sum(ledger_count) as covered from swarm.events"
    )
    print(json.dumps(rows[0]))
"""


def look(path: Path) -> dict[str, int]:
    found: dict[str, int] = json.loads(run_python(LOOK, str(path)))
    return found


def start(path: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.repairing", str(path)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_repair_is_there_after_a_kill_right_behind_it(tmp_path: Path) -> None:
    with start(tmp_path / "history") as process:
        process.wait(50)
    assert look(tmp_path / "history") == {
        "rows": COUNT,
        "sequences": COUNT,
        "bad": 0,
        "covered": COUNT,
    }


@pytest.mark.parametrize("milliseconds", [0, 4, 8, 16])
def test_a_kill_in_the_middle_of_the_replacement_loses_no_row(
    tmp_path: Path, milliseconds: int
) -> None:
    """Before: the damaged row is still there. After: it is not. Never: rows that are gone."""
    with start(tmp_path / "history") as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "replacing"
        time.sleep(milliseconds / 1000)  # the moment is the parameter, nothing is waited for
        process.kill()
        process.wait(10)
    found = look(tmp_path / "history")
    assert found["sequences"] == COUNT
    assert found["rows"] >= COUNT
