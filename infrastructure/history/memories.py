"""What agents find again, kept beside the events: their texts, and vectors of their meaning.

Both are taken from `swarm.events` after the fact and can be made again from it. Taking in goes by
ranges of a stream, so that a call is short however much there is to do; a range that two programs
take in at the same moment is there twice, which searches overlook.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from string import Template
from typing import Any, TypeVar

from infrastructure.errors import QueryFailedError, QueryRefusedError
from infrastructure.history.client import ACCESS_DENIED, HistoryClient
from infrastructure.history.migrate import PLACEHOLDERS, deployment_of
from infrastructure.history.query_text import query_text

RANGE_EVENTS = 20_000
"""Events that one insert looks at."""
INDEX_FROM = 100_000
"""Vectors of one model from which on an approximate index is worth what it costs to build."""
INDEXED_AT_ONCE = 5_000
"""Vectors that one call adds to the index: some 1.7 ms of CPU each."""
INDEXED_SHARE = 0.95
"""Of a model's vectors: with fewer in the index, all are compared."""
_FORBIDDEN = frozenset({164, ACCESS_DENIED})
"""Codes of statements that a user has no rights for; 164: READONLY."""
_COLUMNS = ("model", "stream", "stream_seq", "run_id", "vector")

_log = logging.getLogger(__name__)

Row = Mapping[str, Any]
Opened = Callable[[], HistoryClient]
T = TypeVar("T")


class Memories:
    """Texts and vectors in history; calls block, and writing takes the rights of its owner."""

    def __init__(self, client: HistoryClient, *, index_from: int = INDEX_FROM) -> None:
        self._client = client
        self._index_from = index_from
        self._reached: dict[str, int] = {}

    def take_in(self) -> int:
        """Take in the next range of each stream; return how many events are left.

        Raises:
            QueryFailedError: the engine refused.
            QueryRefusedError: this client has the rights of a reader.
            HistoryUnavailableError: history cannot be reached.
        """
        self._forget_dropped()
        left = 0
        for row in self._client.query(query_text("memory_reach")):
            stream, last = str(row["stream"]), int(row["last_seq"])
            first = max(int(row["taken_seq"]), self._reached.get(stream, 0))
            end = min(last, first + RANGE_EVENTS)
            if first < end:
                place = {"stream": stream, "first": first, "last": end}
                self._client.command(query_text("memory_take_in"), place)
                self._reached[stream] = end
            left += max(0, last - end)
        return left

    def missing(self, model: str, limit: int) -> list[dict[str, Any]]:
        """Return texts that have no vector of a model, the newest first.

        Each is a row of stream, sequence, run_id and text.
        """
        return self._client.query(
            query_text("embeddings_missing"), {"model": model, "limit": limit}
        )

    def add(self, model: str, rows: Sequence[Row], vectors: Sequence[Sequence[float]]) -> None:
        """Store the vectors of rows that `missing` gave.

        Raises:
            InsertRejectedError: the engine refused them.
            HistoryUnavailableError: history cannot be reached.
        """
        values = [
            [model, row["stream"], row["sequence"], row["run_id"], list(vector)]
            for row, vector in zip(rows, vectors, strict=True)
        ]
        self._client.insert_rows("swarm.embeddings", _COLUMNS, values)

    def extend_index(self, model: str) -> int:
        """Bring the approximate index of a model on by one step; return how many vectors are left.

        There is none, and nothing to do, while the model has fewer than `INDEX_FROM` vectors.
        """
        found = self._client.query(query_text("embeddings_count"), {"model": model})
        count = int(found[0]["vectors"]) if found else 0
        if count < self._index_from:
            return 0
        dimension, table = int(found[0]["dimension"]), index_table(model)
        made = PLACEHOLDERS[deployment_of(self._client)]
        statement = _filled("embeddings_index", table=table, dimension=dimension, **made)
        self._client.command(statement)
        step = {"model": model, "limit": INDEXED_AT_ONCE, "dimension": dimension}
        self._client.command(_filled("embeddings_extend", table=table), step)
        (indexed,) = self._client.query(_filled("embeddings_indexed", table=table))
        return max(0, count - int(indexed["vectors"]))

    def _forget_dropped(self) -> None:
        for row in self._client.query(query_text("memory_pruned")):
            place = {"stream": str(row["stream"]), "last": int(row["last_seq"])}
            for table in self._tables():
                self._client.command(_filled("memory_forget", table=table), place)

    def _tables(self) -> list[str]:
        return [str(row["name"]) for row in self._client.query(query_text("memory_tables"))]


class AsyncMemories:
    """The same for async code: reading as a reader, writing where a writer is given."""

    def __init__(self, reader: Opened, writer: Opened | None) -> None:
        """Take the clients.

        Args:
            reader: returns a client for questions, opened when it is needed.
            writer: the same for what is kept; None: nothing is kept from here.
        """
        self._reader = reader
        self._writer = writer
        self._memories: Memories | None = None

    async def query(
        self, sql: str, parameters: Mapping[str, Any] | None = None
    ) -> Sequence[Mapping[str, Any]]:
        """Return the rows of `sql`: the `History` port."""
        return await asyncio.to_thread(lambda: self._reader().query(sql, parameters))

    async def take_in(self) -> int:
        """Take in a range of events; return how many are left."""
        return await self._written(lambda memories: memories.take_in(), 0)

    async def missing(self, model: str, limit: int) -> Sequence[Row]:
        """Return texts without a vector; none where nothing can be kept."""
        nothing: list[dict[str, Any]] = []
        return await self._written(lambda memories: memories.missing(model, limit), nothing)

    async def add(
        self, model: str, rows: Sequence[Row], vectors: Sequence[Sequence[float]]
    ) -> None:
        """Store the vectors of rows that `missing` gave."""
        await self._written(lambda memories: memories.add(model, rows, vectors), None)

    async def extend_index(self, model: str) -> int:
        """Bring the approximate index on by one step; return how many vectors are left."""
        return await self._written(lambda memories: memories.extend_index(model), 0)

    async def nearest(
        self, model: str, vector: Sequence[float], *, excluded_run: str, run: str, limit: int
    ) -> Sequence[Row]:
        """Return stream, sequence and distance of the vectors next to one, the nearest first."""
        asked = {
            "model": model,
            "vector": list(vector),
            "except": excluded_run,
            "run": run,
            "limit": limit,
        }
        return await asyncio.to_thread(self._nearest, model, asked)

    def _nearest(self, model: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
        if self._is_indexed(model) and not asked["run"]:
            statement = _filled("embeddings_nearest_indexed", table=index_table(model))
            return self._reader().query(statement, asked)
        return self._reader().query(query_text("embeddings_nearest"), asked)

    def _is_indexed(self, model: str) -> bool:
        reader, table = self._reader(), index_table(model)
        if not reader.query(query_text("table_exists"), {"table": table}):
            return False
        statement = _filled("embeddings_indexed_share", table=table)
        (found,) = reader.query(statement, {"model": model})
        return int(found["indexed"]) >= INDEXED_SHARE * int(found["vectors"])

    async def _written(self, call: Callable[[Memories], T], otherwise: T) -> T:
        writer = self._writer
        if writer is None:
            return otherwise

        def write() -> T:
            if self._memories is None:
                self._memories = Memories(writer())
            return call(self._memories)

        try:
            return await asyncio.to_thread(write)
        except QueryRefusedError:
            self._writer = None
        except QueryFailedError as error:
            if error.code not in _FORBIDDEN:
                raise
            self._writer = None
        _log.info("memory is only read: no rights to write", extra={"action": "memory_read_only"})
        return otherwise


def index_table(model: str) -> str:
    """Return the name of the table that holds a model's vectors with an index over them."""
    return f"embeddings_of_{sha256(model.encode()).hexdigest()[:16]}"


def _filled(name: str, **names: object) -> str:
    return Template(query_text(name)).substitute(names)
