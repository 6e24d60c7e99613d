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
    HistoryDamagedError,
    MissingSchemaError,
    StaleBatchError,
    StreamChangedError,
)
from infrastructure.history.client import HistoryClient
from infrastructure.history.refusals import refused_rows
from infrastructure.ingestor.decoding import MESSAGE, stored_schema
from infrastructure.ingestor.emitters import DIGEST_MARK
from infrastructure.ingestor.encoding import Batch
from infrastructure.ingestor.ledger import Head
from infrastructure.ingestor.queries import sql
from infrastructure.ingestor.stream_api import StreamState, check_reaches

INPUT_TABLE = "swarm.events_input"
PROBE_TABLE = "swarm.events_probe"
GOOD_ROW = b"\x09\x09" + (1).to_bytes(8, "little")
"""A row of nothing but a sequence, which every engine decodes."""
MAX_NAMES_BYTES = 32 * 1024
"""Emitters of one query; with each byte escaped they stay below what a query may come to."""


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
        self._under_way: list[int] = []

    @property
    def takes_next_early(self) -> bool:
        """Whether history can be sent a batch while it inserts the one before.

        The owner of embedded data takes inserts one after another as they came. A server begins
        with each at once, and its guard would refuse the second.
        """
        return not self._takes_token

    async def state(self) -> HistoryState:
        """Return where history stands.

        Raises:
            HistoryUnavailableError: history cannot be reached.
            MissingSchemaError: it has no tables yet.
            HistoryDamagedError: its last row is not the end of a batch; something was removed or
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
            raise HistoryDamagedError(
                table="swarm.events",
                expected=f"one row that ends a batch at {self._stream}#{last['stream_seq']}",
                found="something else",
            )
        head = Head(self._stream, int(last["stream_seq"]), bytes(last["ledger_root"]))
        return HistoryState(head=head, identity=str(last["ledger_identity"]))

    async def intervals(self, emitters: Iterable[str]) -> list[tuple[str, int, int]]:
        """Return the numbers that history holds of these emitters: emitter, first, last."""
        wanted = list(emitters)
        named = [one for one in wanted if not one.startswith(DIGEST_MARK)]
        digests = [one for one in wanted if one.startswith(DIGEST_MARK)]
        found: list[tuple[str, int, int]] = []
        for query, group in (("numbers", named), ("numbers_by_digest", digests)):
            for some in chunks(group, MAX_NAMES_BYTES):
                rows = await self._query(query, {"emitters": some, "mark": DIGEST_MARK})
                found += [(row["emitter_id"], int(row["first"]), int(row["last"])) for row in rows]
        return found

    async def heads_after(self, sequence: int, most: int) -> list[tuple[int, str]]:
        """Return up to `most` heads of the ledger after a sequence: sequence, text.

        Of each hundred thousand messages only the last, the newest of all among them.
        """
        rows = await self._query("heads_after", {"after": sequence, "most": most})
        return [(int(row["last"]), str(row["text"])) for row in rows]

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
        self._under_way.append(batch.last_sequence)
        try:
            await asyncio.to_thread(self._insert, INPUT_TABLE, body, batch.row_count, settings)
            highest = int((await self._query("highest"))[0]["highest"])
            expected = highest in self._under_way and highest >= batch.last_sequence
        finally:
            self._under_way.remove(batch.last_sequence)
        if not expected:
            raise StaleBatchError(
                table=INPUT_TABLE,
                row_count=batch.row_count,
                code=0,
                reason=f"history reads {highest} where {batch.last_sequence} was appended",
            )

    async def find_refused(self, body: bytes) -> list[int]:
        """Return the positions of the rows that ClickHouse cannot decode.

        Nothing is written: the rows go into a table that keeps nothing and that no view hangs on.

        Raises:
            InsertRejectedError: a probe failed for a reason that says nothing of the rows.
            HistoryUnavailableError: history cannot be reached.
        """
        return await asyncio.to_thread(self._bisect, list(split_rows(body)))

    def _bisect(self, rows: Sequence[bytes]) -> list[int]:
        # Where not even this goes in, no refusal says anything of a row.
        self._insert(PROBE_TABLE, GOOD_ROW, 1, {})

        def probe(start: int, end: int) -> None:
            self._insert(PROBE_TABLE, b"".join(rows[start:end]), end - start, {})

        return refused_rows(len(rows), probe)

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
    check_reaches(stream, history.head.sequence)


def chunks(names: Iterable[str], most_bytes: int) -> Iterator[list[str]]:
    """Yield the names in groups of at most so many bytes as a query may have to spell them."""
    group: list[str] = []
    size = 0
    for name in names:
        # Up to three bytes for each byte of UTF-8, and quotes and a comma around all of them.
        cost = 3 * len(name.encode()) + 9
        if group and size + cost > 3 * most_bytes:
            yield group
            group, size = [], 0
        group.append(name)
        size += cost
    if group:
        yield group


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
