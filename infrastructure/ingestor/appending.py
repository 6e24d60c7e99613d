"""Appends batches of one stream to history: compare, append, read back.

The insert carries the highest sequence that its sender has seen; the guard in history refuses it
when that is no longer the highest. What an insert came to is never guessed: the highest sequence is
read back, and whoever finds anything unexpected starts again from there.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infrastructure.errors import (
    HistoryAheadError,
    HistorySchemaError,
    InsertRejectedError,
    MissingSchemaError,
    StaleBatchError,
    StreamChangedError,
)
from infrastructure.history.client import HistoryClient
from infrastructure.ingestor.decoding import MESSAGE, stored_schema
from infrastructure.ingestor.encoding import Batch
from infrastructure.ingestor.ledger import Head
from infrastructure.ingestor.queries import sql
from infrastructure.ingestor.stream_api import StreamState

INPUT_TABLE = "swarm.events_input"
PROBE_TABLE = "swarm.events_probe"
MAX_EMITTERS_PER_QUERY = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryState:
    """Where history stands in one stream."""

    head: Head
    identity: str
    """`name@created` of the stream that it was filled from; empty while it holds nothing."""


class Appender:
    """History as one stream's ingestor sees it; its calls block a thread, never the loop."""

    def __init__(self, client: HistoryClient, stream: str) -> None:
        self._client = client
        self._stream = stream
        self._settings: Mapping[str, str] = {}
        self._takes_token = False

    async def state(self) -> HistoryState:
        """Return where history stands.

        Raises:
            HistoryUnavailableError: history cannot be reached.
            MissingSchemaError: it has no tables yet.
            HistorySchemaError: its last row is not the end of a batch; something was removed or
            altered.
        """
        engine = await self._query("engine")
        if not engine:
            raise MissingSchemaError(dsn=self._client.dsn)
        self._takes_token = str(engine[0]["engine"]).startswith("Replicated")
        rows = await self._query("head", bytes_columns=("ledger_root",))
        if not rows:
            return HistoryState(head=Head(self._stream, 0), identity="")
        last = rows[0]
        if len(rows) > 1 or not last["ledger_count"]:
            raise HistorySchemaError(
                table="swarm.events",
                expected=f"one row that ends a batch at {self._stream}#{last['stream_seq']}",
                found="something else: run `swarm verify`",
            )
        head = Head(self._stream, int(last["stream_seq"]), bytes(last["ledger_root"]))
        return HistoryState(head=head, identity=str(last["ledger_identity"]))

    async def intervals(self, emitters: Iterable[str]) -> list[tuple[str, int, int]]:
        """Return the numbers that history holds of these emitters: emitter, first, last."""
        wanted = list(emitters)
        found: list[tuple[str, int, int]] = []
        for start in range(0, len(wanted), MAX_EMITTERS_PER_QUERY):
            some = wanted[start : start + MAX_EMITTERS_PER_QUERY]
            rows = await self._query("numbers", {"emitters": some})
            found += [(row["emitter_id"], int(row["first"]), int(row["last"])) for row in rows]
        return found

    async def heads_after(self, sequence: int, most: int) -> list[tuple[int, str]]:
        """Return up to `most` heads of the ledger after a sequence: sequence, text."""
        rows = await self._query("heads_after", {"after": sequence, "most": most})
        return [(int(row["stream_seq"]), str(row["head"])) for row in rows]

    async def append(self, batch: Batch, body: bytes) -> None:
        """Insert a closed batch and make sure that history ends with it.

        Raises:
            StaleBatchError: another ingestor was first.
            InsertRejectedError: ClickHouse refused it.
            HistoryUnavailableError: history cannot be reached; what became of the batch is unknown.
        """
        settings: dict[str, str] = {}
        if self._takes_token:
            settings["insert_deduplication_token"] = f"{batch.identity}/{batch.before.sequence}"
            settings["deduplicate_blocks_in_dependent_materialized_views"] = "1"
        await asyncio.to_thread(self._insert, INPUT_TABLE, body, batch.row_count, settings)
        highest = int((await self._query("highest"))[0]["highest"])
        if highest != batch.last_sequence:
            raise StaleBatchError(
                table=INPUT_TABLE,
                row_count=batch.row_count,
                code=0,
                reason=f"history reads {highest} where {batch.last_sequence} was appended",
            )

    async def find_refused(self, body: bytes) -> list[int]:
        """Return the positions of the rows that ClickHouse cannot decode.

        Nothing is written: the rows go into a table that keeps nothing and that no view hangs on.
        """
        return await asyncio.to_thread(self._bisect, list(split_rows(body)))

    def _bisect(self, rows: Sequence[bytes]) -> list[int]:
        refused: list[int] = []
        ranges = [(0, len(rows))]
        while ranges:
            start, end = ranges.pop()
            try:
                self._insert(PROBE_TABLE, b"".join(rows[start:end]), end - start, {})
            except InsertRejectedError:
                middle = (start + end) // 2
                if end - start == 1:
                    refused.append(start)
                else:
                    ranges += [(start, middle), (middle, end)]
        return sorted(refused)

    def _insert(self, table: str, body: bytes, rows: int, settings: Mapping[str, str]) -> None:
        self._client.insert_protobuf(
            table,
            body,
            schema=stored_schema(),
            message=MESSAGE,
            row_count=rows,
            settings=settings,
        )

    async def _query(
        self,
        name: str,
        parameters: Mapping[str, object] | None = None,
        bytes_columns: Sequence[str] = (),
    ) -> list[dict[str, Any]]:
        given = {"stream": self._stream, **(parameters or {})}
        return await asyncio.to_thread(
            self._client.query, sql(name), given, bytes_columns=bytes_columns
        )


def check_belongs(history: HistoryState, stream: StreamState) -> None:
    """Refuse a history that was not filled from this stream.

    Raises:
        StreamChangedError: it was filled from another stream of the same name.
        HistoryAheadError: it holds sequences that the stream does not have.
    """
    if history.identity and history.identity != stream.identity:
        raise StreamChangedError(expected=history.identity, found=stream.identity)
    if history.head.sequence > stream.last_sequence:
        raise HistoryAheadError(
            stream=stream.name,
            history_sequence=history.head.sequence,
            stream_sequence=stream.last_sequence,
        )


def split_rows(body: bytes) -> Iterator[bytes]:
    """Yield the rows of an encoded batch, each with its length before it."""
    at = 0
    while at < len(body):
        size, shift, cursor = 0, 0, at
        while True:
            byte = body[cursor]
            size |= (byte & 127) << shift
            cursor += 1
            if byte < 128:
                break
            shift += 7
        yield body[at : cursor + size]
        at = cursor + size
