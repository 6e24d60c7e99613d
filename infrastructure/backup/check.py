"""Open a copy of embedded history and say what is in it: `python -m infrastructure.backup.check`.

A process can open one directory only, hence a process of its own. Prints one JSON object.
"""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template
from typing import Any

from infrastructure.backup.parts import stored_tables
from infrastructure.errors import BackupError
from infrastructure.history.client import HistoryClient, open_history
from infrastructure.history.config import HistoryConfig
from infrastructure.history.query_text import query_text

CHECK_SECONDS = 3_600
"""Longest check; reading every part of a large history takes minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldStream:
    """What history holds of one stream."""

    stream: str
    event_count: int
    last_seq: int
    is_whole: bool
    """It ends with the end of a batch."""
    head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryCheck:
    """What was found in a history."""

    streams: tuple[HeldStream, ...]
    damaged_tables: tuple[str, ...]
    ledger_breaks: int


def check_history(history: HistoryClient) -> HistoryCheck:
    """Read every part of every table and the links of the ledger.

    Where a part is damaged nothing else is looked at: a query that meets it fails.
    """
    damaged = [table for table in stored_tables(history) if not _is_sound(history, table)]
    if damaged:
        return HistoryCheck(streams=(), damaged_tables=tuple(damaged), ledger_breaks=0)
    breaks = int(history.query(query_text("backup_ledger_breaks"))[0]["breaks"])
    return HistoryCheck(streams=held_streams(history), damaged_tables=(), ledger_breaks=breaks)


def held_streams(history: HistoryClient) -> tuple[HeldStream, ...]:
    """Return what history holds of each stream."""
    return tuple(
        HeldStream(
            stream=str(row["stream"]),
            event_count=int(row["event_count"]),
            last_seq=int(row["last_seq"]),
            is_whole=bool(row["is_whole"]),
            head=str(row["head"]),
        )
        for row in history.query(query_text("backup_streams"))
    )


def check_copy(data: Path) -> HistoryCheck:
    """Check the history in a directory that nobody has open.

    Raises:
        BackupError: it does not open.
    """
    done = subprocess.run(
        [sys.executable, "-m", "infrastructure.backup.check", str(data)],
        capture_output=True,
        text=True,
        timeout=CHECK_SECONDS,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise BackupError(directory=str(data), reason=f"the copied history does not open: {last}")
    found: dict[str, Any] = json.loads(done.stdout)
    return HistoryCheck(
        streams=tuple(HeldStream(**one) for one in found["streams"]),
        damaged_tables=tuple(found["damaged_tables"]),
        ledger_breaks=int(found["ledger_breaks"]),
    )


def _is_sound(history: HistoryClient, table: str) -> bool:
    statement = Template(query_text("check_table")).substitute(table=table)
    # Not a SELECT: the driver's typed interface has no rows for it.
    answer = json.loads(history.raw(statement, output_format="JSONEachRow"))
    return int(answer["result"]) == 1


def main() -> None:
    """Check the directory that the one argument names."""
    with open_history(HistoryConfig(dsn=f"chdb://{sys.argv[1]}")) as history:
        sys.stdout.write(json.dumps(asdict(check_history(history))) + "\n")


if __name__ == "__main__":
    main()
