"""History as verification asks it: every statement that it runs, and its own scratch database.

Calls block. What the messages decode to is made by the same text as in the materialized view of the
events table, in a scratch database, so that a row and what it should be are of one type and can be
compared by the engine.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from infrastructure.errors import QueryFailedError
from infrastructure.history.client import HistoryClient
from infrastructure.history.verify.ledger import Entry
from infrastructure.history.verify.rows import Fact
from infrastructure.history.verify.scratch import PREFIX, is_left_behind, scratch_name
from infrastructure.history.verify.statements import statement
from infrastructure.ingestor.decoding import MESSAGE, decode_columns, stored_schema
from infrastructure.ingestor.ledger import Head, parse_head

EVENTS = "swarm.events"
PROBE = "swarm.events_probe"
"""Takes rows and keeps none."""
NOT_FROM_THE_MESSAGE = frozenset(
    {
        "ingested_at",
        "ledger_identity",
        "ledger_prev_seq",
        "ledger_prev",
        "ledger_root",
        "ledger_count",
    }
)
"""Columns that do not follow from the message: the ledger's have a check of their own."""
LONGEST_ID = 1024
"""Bytes of an emitter's id up to which it is asked for as it is, above by its digest."""
MAX_ASKED_BYTES = 64 * 1024
"""Of one list in a query, which is limited as a whole."""
MAX_CHANGED_ROWS = 1_000_000
"""Rows with changed columns that are asked for per stretch; more than any stretch has."""
NOT_DAMAGE = frozenset({60, 81, 159, 160, 164, 202, 209, 210, 241, 242, 394, 497, 516})
"""Codes of ClickHouse that speak of limits, rights, names and networks, not of unreadable data."""


Columns = Sequence[tuple[str, str]]
"""Names and types, in order."""


def is_damage(error: QueryFailedError) -> bool:
    """Return whether a query failed because of what lies on disk."""
    return error.code not in NOT_DAMAGE


@dataclass(frozen=True, slots=True)
class Extent:
    """What history holds of a stream."""

    row_count: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over digests of rows: two runs of rows are the same where these are."""

    row_count: int
    first: int
    second: int


@dataclass(frozen=True, slots=True)
class ChangedColumns:
    """A row that is not what its raw bytes decode to."""

    sequence: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """One emitter number for different events."""

    emitter_id: str
    number: int
    first: int
    last: int
    event_id: str


class VerifyStore:
    """Asks history about one stream; made by `open_store`."""

    def __init__(
        self, client: HistoryClient, scratch: str, columns: Columns, inputs: Columns, *,
        with_repeats: bool,
    ) -> None:  # fmt: skip
        self._client = client
        self._columns = columns
        compared = [
            name
            for name, _ in columns
            if name not in NOT_FROM_THE_MESSAGE and (with_repeats or name != "is_repeated")
        ]
        self._compared = compared
        kinds = dict(columns)
        texts = [name for name in compared if "String" in kinds[name]]
        self._names = {
            "scratch": scratch,
            "key": f"toUInt64({secrets.randbits(64)})",
            "columns": ", ".join(_comparable(name, kinds[name]) for name in compared),
            "texts": ", ".join(_comparable(name, kinds[name]) for name in texts),
            "stored_columns": ", ".join(_stored(name, kinds[name]) for name in compared),
            "stored_texts": ", ".join(_stored(name, kinds[name]) for name in texts),
            "definitions": ", ".join(f"{name} {kind}" for name, kind in columns),
            "plain_definitions": _plain(columns),
            "plain_inputs": _plain(inputs),
            "decode": decode_columns(),
        }
        self._has_wide = False

    @property
    def client(self) -> HistoryClient:
        """The client that this store asks through."""
        return self._client

    def create(self) -> None:
        """Make the scratch tables."""
        for name in (
            "create_scratch_database", "create_input", "create_decoded", "create_decode",
            "create_digests", "create_digest",
        ):  # fmt: skip
            self._command(name)

    def drop(self) -> None:
        """Drop the scratch tables."""
        self._command("drop_scratch_database")

    def load(self, parts: Iterable[bytes], row_count: int) -> None:
        """Decode messages and keep sums over digests of their rows, beside those before.

        Raises:
            InsertRejectedError: the engine cannot decode one of them; nothing was kept.
        """
        self._insert(f"{self._names['scratch']}.input", parts, row_count)

    def probe(self, parts: Iterable[bytes], row_count: int) -> None:
        """Decode messages and keep nothing.

        Raises:
            InsertRejectedError: the engine cannot decode one of them.
        """
        self._insert(PROBE, parts, row_count)

    def load_wide(self, parts: Iterable[bytes], row_count: int) -> None:
        """Decode messages and keep their rows in place of those before."""
        if self._has_wide:
            self._command("clear_wide")
        else:
            for name in ("create_wide", "create_wide_input", "create_wide_decode"):
                self._command(name)
            self._has_wide = True
        self._insert(f"{self._names['scratch']}.wide_input", parts, row_count)

    def stored_sums(self, stream: str, first: int, last: int) -> Sums:
        """Return the sums over the rows of a range."""
        return _sums(self._query("stored_sums", stream, first, last, table=EVENTS))

    def loaded_sums(self, stream: str, first: int, last: int) -> Sums:
        """Return the sums over what was loaded for a range."""
        return _sums(self._query("loaded_sums", stream, first, last))

    def changed_columns(
        self, stream: str, first: int, last: int, *, table: str = EVENTS
    ) -> list[ChangedColumns]:
        """Return the rows whose columns are not what was loaded last into the wide table."""
        kinds = dict(self._columns)
        names = [name for name in self._compared if name not in {"raw", "stream_seq"}]
        differences = ", ".join(f"if(min(h_{one}) != max(h_{one}), '{one}', '')" for one in names)
        hashed = ", ".join(f"sipHash64({_comparable(one, kinds[one])}) as h_{one}" for one in names)
        rows = self._query(
            "changed_columns", stream, first, last, table=table,
            names={"differences": differences, "hashed_columns": hashed},
            values={"limit": MAX_CHANGED_ROWS},
        )  # fmt: skip
        return [ChangedColumns(int(row["stream_seq"]), tuple(row["names"])) for row in rows]

    def row_facts(
        self, stream: str, first: int, last: int, *, table: str = EVENTS
    ) -> list[tuple[int, Fact]]:
        """Return subject and digest of every row of a stretch."""
        rows = self._query("row_facts", stream, first, last, table=table, raw=("digest", "subject"))
        return [
            (int(row["stream_seq"]), Fact(_as_bytes(row["subject"]), row["digest"])) for row in rows
        ]

    def entries(self, stream: str, first: int, last: int, *, table: str = EVENTS) -> list[Entry]:
        """Return the ledger's entries of a stretch."""
        rows = self._query("entries", stream, first, last, table=table, raw=_ROOTS)
        return [_entry(row) for row in rows]

    def entry_before(self, stream: str, first: int) -> Entry | None:
        """Return the last entry of the ledger before a sequence."""
        rows = self._query("entry_before", stream, first, 0, raw=_ROOTS)
        return _entry(rows[0]) if rows else None

    def next_entry(self, stream: str, first: int) -> Entry | None:
        """Return the first entry of the ledger at or after a sequence."""
        rows = self._query("next_entry", stream, first, 0, raw=_ROOTS)
        return _entry(rows[0]) if rows else None

    def pruned_heads(self, stream: str) -> list[Head]:
        """Return the heads of the ranges that were pruned, oldest first."""
        rows = self._query("pruned_heads", stream, 0, 0)
        return [parse_head(str(row["head"])) for row in rows]

    def extent(self, stream: str) -> Extent:
        """Return how many rows of a stream there are and where they begin and end."""
        row = self._query("extent", stream, 0, 0)[0]
        return Extent(int(row["row_count"]), int(row["first"]), int(row["last"]))

    def streams(self) -> list[str]:
        """Return the names of the streams that history holds rows of."""
        return [str(row["stream"]) for row in self._client.query(statement("streams"))]

    def pruned_streams(self) -> list[str]:
        """Return the names of the streams of which rows were pruned."""
        return [str(row["stream"]) for row in self._client.query(statement("pruned_streams"))]

    def messages(
        self, stream: str, first: int, last: int, limit: int
    ) -> tuple[list[int], list[bytes], list[bytes]]:
        """Return sequences, subjects and raw bytes as history holds them."""
        rows = self._query(
            "messages", stream, first, last, raw=("raw", "subject"), values={"limit": limit}
        )
        return (
            [int(row["stream_seq"]) for row in rows],
            [_as_bytes(row["subject"]) for row in rows],
            [row["raw"] for row in rows],
        )

    def state_at_event(
        self, stream: str, event_id: str, resource: tuple[str, str, str]
    ) -> str | None:
        """Return what a resource was when an event was stored; None: it was never changed before.

        Args:
            stream: of the event and of the changes.
            event_id: of the event.
            resource: workspace, type and name.
        """
        workspace, kind, name = resource
        values = {"event_id": event_id, "workspace": workspace, "type": kind, "resource": name}
        row = self._query("state_at_event", stream, 0, 0, values=values)[0]
        return str(row["state"]) if row["changes"] else None

    def conflicts(self, stream: str, numbers: Iterable[tuple[str, int]]) -> list[Conflict]:
        """Return which of these emitter numbers stand for different events."""
        short, long = list[tuple[str, int]](), list[tuple[str, int]]()
        for emitter, number in sorted(numbers):
            encoded = emitter.encode()
            if len(encoded) <= LONGEST_ID:
                short.append((emitter, number))
            else:
                long.append((sha256(encoded).hexdigest(), number))
        found = [*self._conflicts("conflicts", stream, short)]
        found += self._conflicts("conflicts_by_digest", stream, long)
        return sorted(found, key=lambda conflict: conflict.last)

    def _conflicts(
        self, name: str, stream: str, pairs: Sequence[tuple[str, int]]
    ) -> Iterator[Conflict]:
        """Ask for so many at once as a query may be long."""
        for some in _portions(pairs):
            emitters, numbers = zip(*some, strict=True)
            values = {"emitters": list(emitters), "numbers": list(numbers), "longest": LONGEST_ID}
            for row in self._query(name, stream, 0, 0, values=values):
                yield Conflict(
                    str(row["emitter_id"]), int(row["number"]), int(row["first"]),
                    int(row["last"]), str(row["event_id"]),
                )  # fmt: skip

    def repeats(self, stream: str, first: int, last: int) -> set[int]:
        """Return the sequences of rows that history takes for repeats, as far as it can be read."""
        try:
            rows = self._query("repeats", stream, first, last)
        except QueryFailedError as error:
            if not is_damage(error):
                raise
            return set()
        return {int(row["stream_seq"]) for row in rows}

    def damaged_ranges(self, stream: str, first: int, last: int) -> list[tuple[int, int]]:
        """Return which parts of a stretch cannot be read, found by halving it."""
        if self._is_readable(stream, first, last):
            return []
        if first == last:
            return [(first, last)]
        middle = (first + last) // 2
        lower = self.damaged_ranges(stream, first, middle)
        upper = self.damaged_ranges(stream, middle + 1, last)
        if lower and upper and lower[-1][1] + 1 == upper[0][0]:
            return [*lower[:-1], (lower[-1][0], upper[0][1]), *upper[1:]]
        return lower + upper

    def _is_readable(self, stream: str, first: int, last: int) -> bool:
        try:
            self.stored_sums(stream, first, last)
            self.entries(stream, first, last)
        except QueryFailedError as error:
            if not is_damage(error):
                raise
            return False
        return True

    def _insert(self, table: str, parts: Iterable[bytes], row_count: int) -> None:
        self._client.insert_protobuf(
            table, parts, schema=stored_schema(), message=MESSAGE, row_count=row_count
        )

    def _command(self, name: str) -> None:
        self._client.command(statement(name, **self._names))

    def _query(
        self, name: str, stream: str, first: int, last: int, *, table: str = EVENTS,
        names: Mapping[str, str] | None = None, raw: Sequence[str] = (),
        values: dict[str, Any] | None = None,
    ) -> list[dict[str, Any]]:  # fmt: skip
        text = statement(name, **self._names, table=table, **(names or {}))
        parameters = {"stream": stream, "first": first, "last": last, **(values or {})}
        return self._client.query(text, parameters, bytes_columns=raw)


_ROOTS = ("prev_root", "root")
_NUMBER_BYTES = 24


@asynccontextmanager
async def open_store(
    client: HistoryClient, *, with_repeats: bool = True
) -> AsyncIterator[VerifyStore]:
    """Give a store with its scratch database, dropped at the end.

    Args:
        client: may create a database and write to it.
        with_repeats: `is_repeated` is compared too; that takes the knowledge of all earlier events.
    """
    columns = await asyncio.to_thread(_columns_of, client, "events")
    inputs = await asyncio.to_thread(_columns_of, client, "events_input")
    await asyncio.to_thread(_drop_leftovers, client)
    store = VerifyStore(client, scratch_name(), columns, inputs, with_repeats=with_repeats)
    try:
        await asyncio.to_thread(store.create)
        yield store
    finally:
        await asyncio.shield(asyncio.to_thread(store.drop))


def _drop_leftovers(client: HistoryClient) -> None:
    """Drop what runs have left that were killed."""
    for row in client.query(statement("scratch_databases"), {"start": PREFIX}):
        if is_left_behind(str(row["name"])):
            client.command(statement("drop_scratch_database", scratch=str(row["name"])))


def _portions(pairs: Sequence[tuple[str, int]]) -> Iterator[list[tuple[str, int]]]:
    portion, size = list[tuple[str, int]](), 0
    for pair in pairs:
        size += len(pair[0].encode()) + _NUMBER_BYTES
        if portion and size > MAX_ASKED_BYTES:
            yield portion
            portion, size = [], len(pair[0].encode()) + _NUMBER_BYTES
        portion.append(pair)
    if portion:
        yield portion


def _columns_of(client: HistoryClient, table: str) -> Columns:
    rows = client.query(statement("columns"), {"table": table})
    return [(str(row["name"]), str(row["type"])) for row in rows]


def _plain(columns: Columns) -> str:
    """Return definitions without dictionaries, which take time and change no value and no hash."""
    return ", ".join(
        f"{name} {kind.replace('LowCardinality(String)', 'String')}" for name, kind in columns
    )


def _comparable(name: str, kind: str) -> str:
    """Return a column as it is compared: a map has no order, and each process writes its own."""
    return f"mapSort({name})" if kind.startswith("Map(") else name


def _stored(name: str, kind: str) -> str:
    """Return a column of history as it is compared: what is sent of `raw` is its digest."""
    return "SHA256(raw)" if name == "raw" else _comparable(name, kind)


def _sums(rows: Sequence[dict[str, Any]]) -> Sums:
    return Sums(*(int(rows[0][name]) for name in ("row_count", "first", "second")))


def _entry(row: dict[str, Any]) -> Entry:
    return Entry(
        sequence=int(row["sequence"]),
        prev_sequence=int(row["prev_sequence"]),
        prev_root=row["prev_root"],
        root=row["root"],
        count=int(row["count"]),
        identity=str(row["identity"]),
    )


def _as_bytes(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
