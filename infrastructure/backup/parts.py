"""The history half of a backup: parts frozen by the engine, laid out as a directory that opens.

Freezing hard-links the immutable parts of a table at one moment and costs nothing while others
read and write. A table's definition is a file of its own. Both together, in the places where the
engine keeps them, are embedded history again.
"""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from infrastructure.errors import BackupError
from infrastructure.history.client import HistoryClient
from infrastructure.history.query_text import query_text

_IDENTIFIER = re.compile(r"[A-Za-z0-9_]+")
BLOBS_TABLE = "blobs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A named set of frozen parts below `shadow/` of the data."""

    name: str
    tables: tuple[str, ...]


def stored_tables(history: HistoryClient) -> list[str]:
    """Return the tables that keep data."""
    return [str(row["name"]) for row in history.query(query_text("stored_tables"))]


def freeze(history: HistoryClient, tables: Sequence[str], name: str) -> Freeze:
    """Freeze tables, one after another, in the given order.

    Raises:
        QueryFailedError: the engine refused.
        HistoryUnavailableError: history cannot be reached.
    """
    for table in tables:
        history.command(_statement("freeze_table", table, name))
    return Freeze(name=name, tables=tuple(tables))


def unfreeze(history: HistoryClient, frozen: Freeze) -> None:
    """Give the room back that frozen parts take.

    Raises:
        QueryFailedError: the engine refused.
        HistoryUnavailableError: history cannot be reached.
    """
    for table in frozen.tables:
        history.command(_statement("unfreeze_table", table, frozen.name))


def copy_definitions(data: Path, target: Path) -> None:
    """Copy what says which tables there are, without their parts."""
    target.mkdir(parents=True, exist_ok=True)
    shutil.copytree(data / "metadata", target / "metadata", symlinks=True, dirs_exist_ok=True)
    for file in sorted((data / "store").rglob("*")):
        if file.is_file() and (file.suffix == ".sql" or file.name == "format_version.txt"):
            place = target / file.relative_to(data)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, place)


def copy_frozen(data: Path, target: Path, frozen: Freeze) -> None:
    """Copy frozen parts to where the engine looks for a table's parts.

    Raises:
        BackupError: the engine keeps its data elsewhere.
    """
    shadow = _shadow(data, frozen) / "store"
    if shadow.is_dir():
        shutil.copytree(shadow, target / "store", dirs_exist_ok=True)
    elif not data.is_dir():
        raise BackupError(directory=str(target), reason=f"no history is kept in {data}")


def remove_frozen(data: Path, frozen: Freeze) -> None:
    """Remove the empty directories that the engine leaves where frozen parts were."""
    shutil.rmtree(_shadow(data, frozen), ignore_errors=True)


def _shadow(data: Path, frozen: Freeze) -> Path:
    return data / "shadow" / frozen.name


def _statement(query: str, table: str, name: str) -> str:
    if not _IDENTIFIER.fullmatch(table) or not _IDENTIFIER.fullmatch(name):
        raise ValueError(f"{table!r} or {name!r} is no identifier")
    return Template(query_text(query)).substitute(table=table, name=name)
