"""The table in which a partition is put together before it takes the damaged one's place."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from infrastructure.errors import HistoryDamagedError, RepairMismatchError
from infrastructure.history.client import HistoryClient
from infrastructure.history.verify.repair_plan import Range, complement
from infrastructure.history.verify.statements import statement
from infrastructure.ingestor.batching import PARTITION_ROWS
from infrastructure.ingestor.decoding import MESSAGE, decode_columns, stored_schema
from infrastructure.ingestor.encoding import Batch

REPAIR = "swarm_repair"
"""Database of the table; what a crash left in it is dropped by the next repair."""
_PARTITION_ID = re.compile(r"[0-9A-Za-z_-]+")


@dataclass(frozen=True, slots=True)
class _State:
    """How far what is kept of a partition has come."""

    row_count: int
    highest: int


class RepairTable:
    """Rows of one partition of one stream; `create`, fill, `keep_and_replace`, `drop`. Blocking."""

    def __init__(self, client: HistoryClient, stream: str) -> None:
        self._client = client
        self._stream = stream

    def create(self) -> None:
        """Make the table, empty."""
        for name in (
            "drop_repair_database",
            "create_repair_database",
            "create_repair",
            "create_repair_input",
            "create_repair_decode",
        ):
            self._command(name)

    def drop(self) -> None:
        """Drop the table with what is in it."""
        self._command("drop_repair_database")

    def insert(self, batch: Batch) -> None:
        """Write one batch, ledger included.

        Raises:
            InsertRejectedError: the engine cannot decode one of its messages.
        """
        self._client.insert_protobuf(
            f"{REPAIR}.input",
            batch.parts,
            schema=stored_schema(),
            message=MESSAGE,
            row_count=batch.row_count,
        )

    def keep_and_replace(self, partition: int, written: Sequence[Range]) -> None:
        """Copy the rows of a partition that were not written anew, and put the table in its place.

        What the ingestor appends during the copy is copied too. What it appends at the very moment
        of the replacement is gone: it appends that again when history ends there, otherwise the
        next verification misses it.

        Raises:
            HistoryDamagedError: the table holds a sequence twice; nothing was replaced.
            QueryFailedError: rows to be kept cannot be read; nothing was replaced.
        """
        start = partition * PARTITION_ROWS
        end = start + PARTITION_ROWS - 1
        copied = self._state(complement(written, start, end))
        for first, last in complement(written, start, max(copied.highest, start)):
            self._command("keep_rows", first, last)
        self._check(start, end)
        self._follow(copied, written, start, end)
        for row in self._client.query(statement("repaired_partition", repair=REPAIR)):
            identifier = str(row["partition_id"])
            if not _PARTITION_ID.fullmatch(identifier):
                raise HistoryDamagedError(
                    table="swarm.events", expected="a partition id", found=identifier
                )
            text = statement("replace_partition", repair=REPAIR, partition_id=identifier)
            self._client.command(text)

    def _follow(self, copied: _State, written: Sequence[Range], start: int, end: int) -> None:
        """Copy what has been appended, until nothing was."""
        kept = complement(written, start, end)
        while (now := self._state(kept)) != copied:
            if now.highest <= copied.highest:  # altered, not appended to
                raise RepairMismatchError(stream=self._stream, sequence=now.highest)
            for first, last in complement(written, max(copied.highest + 1, start), now.highest):
                self._command("keep_rows", first, last)
            self._check(start, end)
            copied = now

    def _state(self, ranges: Sequence[Range]) -> _State:
        """Look at what is kept only: the rest may be unreadable."""
        row_count = highest = 0
        for first, last in ranges:
            parameters = {"stream": self._stream, "first": first, "last": last}
            row = self._client.query(statement("partition_state"), parameters)[0]
            row_count += int(row["row_count"])
            highest = max(highest, int(row["highest"]))
        return _State(row_count, highest)

    def _check(self, first: int, last: int) -> None:
        parameters = {"stream": self._stream, "first": first, "last": last}
        row = self._client.query(statement("count_rows", table=f"{REPAIR}.rows"), parameters)[0]
        if row["row_count"] != row["sequences"]:
            raise HistoryDamagedError(
                table=f"{REPAIR}.rows",
                expected=f"{row['sequences']} rows",
                found=f"{row['row_count']}",
            )

    def _command(self, name: str, first: int = 0, last: int = 0) -> None:
        text = statement(name, repair=REPAIR, decode=decode_columns())
        parameters = {"stream": self._stream, "first": first, "last": last}
        self._client.command(text, parameters if "{first:UInt64}" in text else None)
