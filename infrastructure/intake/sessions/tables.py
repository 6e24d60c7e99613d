"""Databases of harnesses, read without touching them.

A database that is in use keeps its newest rows in a log beside it. It is read through that log
without a write to anything; where SQLite cannot do that, a copy of both files is read.
"""

import base64
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from infrastructure.intake.sessions.errors import SourceError

MAGIC = b"SQLite format 3\x00"
COPY_ATTEMPTS = 5


@contextmanager
def open_tables(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database for reading as it is now.

    Raises:
        SourceError: it is no database, or damaged.
    """
    with ExitStack() as stack:
        try:
            connection = _open(path, stack)
            connection.execute("select count(*) from sqlite_master").fetchone()
        except (sqlite3.Error, OSError) as error:
            raise SourceError(path=str(path), reason=f"cannot be read: {error}") from error
        connection.row_factory = sqlite3.Row
        yield connection


def _open(path: Path, stack: ExitStack) -> sqlite3.Connection:
    log = path.with_name(f"{path.name}-wal")
    if not log.exists() or not log.stat().st_size:
        return _connect(path, "mode=ro&immutable=1", stack)
    if path.with_name(f"{path.name}-shm").exists():
        try:
            found = _connect(path, "mode=ro&readonly_shm=1", stack)
            found.execute("select count(*) from sqlite_master").fetchone()
        except sqlite3.Error:
            pass  # the log cannot be read in place
        else:
            return found
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="swarm-session-")))
    return _connect(_copy(path, log, folder), "mode=rw", stack)


def _copy(path: Path, log: Path, folder: Path) -> Path:
    """Copy a database and its log as they are at one moment."""
    target = folder / path.name
    for _ in range(COPY_ATTEMPTS):
        before = _state(path, log)
        shutil.copyfile(path, target)
        shutil.copyfile(log, folder / log.name)
        if _state(path, log) == before:
            return target
    return target


def _state(*paths: Path) -> list[tuple[int, int]]:
    return [(one.stat().st_size, one.stat().st_mtime_ns) for one in paths]


def _connect(path: Path, options: str, stack: ExitStack) -> sqlite3.Connection:
    name = quote(str(path.resolve()))
    return stack.enter_context(closing(sqlite3.connect(f"file:{name}?{options}", uri=True)))


def table_names(connection: sqlite3.Connection) -> set[str]:
    """Return the names of the tables."""
    rows = connection.execute("select name from sqlite_master where type = 'table'")
    return {str(row[0]) for row in rows}


def row_values(row: sqlite3.Row) -> Mapping[str, Any]:
    """Return a row as JSON can hold it, without empty columns: those differ by version."""
    found: dict[str, Any] = {}
    for name in row.keys():  # noqa: SIM118 # a row is no mapping
        value = row[name]
        if value is None:
            continue
        if isinstance(value, bytes):
            value = {"base64": base64.b64encode(value).decode()}
        found[name] = value
    return found
