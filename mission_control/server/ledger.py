"""The ledgers of the streams: heads, newest batches, and whether each starts from the one before.

A quick look at the links only. That history equals the stream is proven by `swarm verify`.
"""

from collections.abc import Mapping
from typing import Any

from mission_control.server.archive import Archive
from mission_control.server.models import Head, Ledger, LedgerEntry
from mission_control.server.moments import shown_time


def newest_heads(archive: Archive) -> list[Head]:
    """Return where the ledger of each stream stands.

    Raises:
        HistoryError: history cannot be asked.
    """
    return [Head(**row) for row in archive.rows("ledger_heads")]


def entry_of(archive: Archive, stream: str, sequence: int) -> LedgerEntry | None:
    """Return the batch that a place of a stream became history in.

    Raises:
        HistoryError: history cannot be asked.
    """
    found = archive.rows("ledger_entry", stream=stream, sequence=sequence)
    return _entry(found[0]) if found else None


def ledgers(archive: Archive) -> Ledger:
    """Return all ledgers.

    Raises:
        HistoryError: history cannot be asked.
    """
    [looked] = archive.rows("ledger_breaks")
    broken = [entry_of(archive, stream, sequence) for stream, sequence in looked["broken"]]
    return Ledger(
        heads=newest_heads(archive),
        links=[_entry(row) for row in archive.rows("ledger_links")],
        is_linked=not broken,
        broken=[entry for entry in broken if entry is not None],
        batches=looked["batches"],
    )


def _entry(row: Mapping[str, Any]) -> LedgerEntry:
    return LedgerEntry(**{**row, "ingested_at": shown_time(row["ingested_at"])})
