"""The one client of history: typed, over clickhouse-connect, embedded and server alike.

Calls block; async code runs them in a thread (`asyncio.to_thread`) or takes `AsyncHistory`. The
driver's exceptions are translated here and nowhere else. Times come back as aware UTC datetimes
with microseconds; who needs all nine digits asks with `raw` for a text format.
"""

import asyncio
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import IO, Any, TypeVar, cast
from urllib.parse import unquote, urlsplit

import clickhouse_connect
from clickhouse_connect import common
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, Error, OperationalError

from infrastructure.errors import (
    HistoryError,
    HistoryUnavailableError,
    InsertRejectedError,
    QueryFailedError,
    QueryRefusedError,
    StaleBatchError,
)
from infrastructure.history.config import HistoryConfig

TOO_MANY_QUERIES = 202
NOT_ENOUGH_SPACE = 243
_PASSING = frozenset({TOO_MANY_QUERIES, NOT_ENOUGH_SPACE})
"""Codes that say nothing of what is inserted: history starts, stops, is busy, or its disk full."""
STALE_MARK = "STALE"
"""What the guard of a materialized view throws when another ingestor has appended meanwhile."""
THROWN = 395
"""ClickHouse's code of `throwIf`, with which the guard throws."""

ONE_BLOCK_SETTINGS: Mapping[str, str] = {
    # The block of an insert is the unit of exactly-once: nothing may split it, delay it or answer
    # before it is written.
    "async_insert": "0",
    "input_format_parallel_parsing": "0",
    "max_insert_block_size": "10000000",
    "min_insert_block_size_rows": "10000000",
    "min_insert_block_size_bytes": "4000000000",
    "max_threads": "1",
    "max_insert_threads": "1",
    "deduplicate_blocks_in_dependent_materialized_views": "0",
}
ACCESS_DENIED = 497
_REFUSED = "query refused: "
_DENIED = ". (ACCESS_DENIED)"
_CODE = re.compile(r"\bCode:\s*(\d+)")

_PROTOCOL = "use_protocol_version"
_OPENING = threading.Lock()
_EMBEDDED_INSERTS = threading.Lock()
"""Guards compare and append in two steps: one insert at a time where no server orders them."""

Settings = Mapping[str, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class InsertSummary:
    """What an insert wrote, as ClickHouse counts it."""

    written_rows: int
    """Rows written, those of materialized views included."""
    written_bytes: int


class HistoryClient:
    """Queries and inserts.

    One client may be used from several threads; embedded, it answers one call at a time.
    """

    def __init__(self, config: HistoryConfig, driver: Client) -> None:
        self._config = config
        self._driver = driver

    @property
    def dsn(self) -> str:
        """Where this history is, without the password."""
        return self._config.public_dsn

    @property
    def is_embedded(self) -> bool:
        """Whether this process itself holds the data open."""
        return self._config.is_embedded

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        settings: Settings | None = None,
        bytes_columns: Sequence[str] = (),
    ) -> list[dict[str, Any]]:
        """Return the rows of `sql`, a dict per row by column name.

        Args:
            sql: one statement with `{name:Type}` where a parameter goes.
            parameters: values by name; the engine binds them, they never become part of the text.
            settings: ClickHouse settings of this query.
            bytes_columns: String columns to return as bytes, such as `raw`.

        Raises:
            QueryFailedError: the engine refused or gave up; `code` is ClickHouse's.
            QueryRefusedError: the query reaches for what readers may not reach.
            HistoryUnavailableError: history cannot be reached.
        """
        formats = dict.fromkeys(bytes_columns, "bytes")
        result = self._call(
            lambda: self._driver.query(
                sql,
                parameters=dict(parameters or {}),
                settings=dict(settings or {}),
                column_formats=cast("dict[str, str | dict[str, str]]", formats) or None,
                tz_mode="aware",
            )
        )
        return list(result.named_results())

    def raw(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        output_format: str = "JSONEachRow",
        settings: Settings | None = None,
    ) -> bytes:
        """Return the result of `sql` as the engine writes it in `output_format`.

        With an empty `output_format` the statement names its own.

        Raises:
            QueryFailedError: the engine refused or gave up.
            HistoryUnavailableError: history cannot be reached.
        """
        return self._call(
            lambda: self._driver.raw_query(
                sql,
                parameters=dict(parameters or {}),
                settings=dict(settings or {}),
                fmt=output_format or None,
            )
        )

    @contextmanager
    def stream(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        output_format: str = "JSONEachRow",
        settings: Settings | None = None,
    ) -> Iterator[IO[bytes]]:
        """Give the result of `sql` as a file to read from; closing it ends the query.

        Raises:
            QueryFailedError: the engine refused or gave up, at the start or while it is read inside
                the block.
            HistoryUnavailableError: history cannot be reached.
        """
        source = self._call(
            lambda: self._driver.raw_stream(
                sql,
                parameters=dict(parameters or {}),
                settings=dict(settings or {}),
                fmt=output_format or None,
            )
        )
        with self._translating(), source:
            yield cast("IO[bytes]", source)

    def command(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        settings: Settings | None = None,
    ) -> None:
        """Run a statement that answers nothing, such as DDL.

        Raises:
            QueryFailedError: the engine refused it.
            HistoryUnavailableError: history cannot be reached.
        """
        self._call(
            lambda: self._driver.command(
                sql, parameters=dict(parameters or {}) or None, settings=dict(settings or {})
            )
        )

    def insert_rows(
        self, table: str, column_names: Sequence[str], rows: Sequence[Sequence[Any]]
    ) -> InsertSummary:
        """Insert Python values as one block; for small tables, not for events.

        Raises:
            InsertRejectedError: the engine refused the block.
            HistoryUnavailableError: history cannot be reached; whether the block was written is
                unknown.
        """
        database, _, name = table.rpartition(".")
        return self._insert(
            table,
            len(rows),
            lambda: (
                self._driver.insert(
                    name,
                    rows,
                    column_names=list(column_names),
                    database=database or None,
                    settings=dict(ONE_BLOCK_SETTINGS),
                ).summary
            ),
        )

    def insert_raw(
        self,
        table: str,
        body: bytes,
        *,
        input_format: str,
        column_names: Sequence[str] = (),
        row_count: int = 0,
        settings: Settings | None = None,
    ) -> InsertSummary:
        """Insert bytes that are in one of ClickHouse's formats already, as one block.

        Raises:
            StaleBatchError: the table's guard found that another writer was first.
            InsertRejectedError: the engine refused the block.
            HistoryUnavailableError: history cannot be reached; whether the block was written is
                unknown.
        """
        merged = {**ONE_BLOCK_SETTINGS, **(settings or {})}
        return self._insert(
            table,
            row_count,
            lambda: (
                self._driver.raw_insert(
                    table,
                    column_names=list(column_names) or None,
                    insert_block=body,
                    settings=merged,
                    fmt=input_format,
                ).summary
            ),
        )

    def insert_protobuf(
        self,
        table: str,
        parts: bytes | Iterable[bytes],
        *,
        schema: str,
        message: str,
        row_count: int = 0,
        settings: Settings | None = None,
    ) -> InsertSummary:
        """Insert length-delimited protobuf messages, which the engine decodes itself, as one block.

        Args:
            table: where they go, with its database.
            parts: the messages, each behind its varint length; pieces are joined as they come.
            schema: text of a .proto file without imports.
            message: the message's name in it.
            row_count: how many messages there are, for errors.
            settings: further ClickHouse settings.

        Raises:
            StaleBatchError: the table's guard found that another writer was first.
            InsertRejectedError: the engine refused the block.
            HistoryUnavailableError: history cannot be reached; whether the block was written is
                unknown.
        """
        body = parts if isinstance(parts, bytes) else b"".join(parts)
        merged = {
            "format_schema_source": "string",
            "format_schema": schema,
            "format_schema_message_name": message,
            **(settings or {}),
        }
        return self.insert_raw(
            table, body, input_format="Protobuf", row_count=row_count, settings=merged
        )

    def ping(self) -> bool:
        """Return whether history answers."""
        return bool(self._driver.ping())

    def close(self) -> None:
        """Release connections; embedded, the engine too once its last client closed."""
        self._driver.close()

    def _insert(
        self, table: str, row_count: int, call: Callable[[], Mapping[str, Any]]
    ) -> InsertSummary:
        one_at_a_time = _EMBEDDED_INSERTS if self.is_embedded else nullcontext()
        try:
            with one_at_a_time:
                summary = self._call(call)
        except QueryFailedError as error:
            if error.code in _PASSING:
                raise HistoryUnavailableError(dsn=self.dsn, reason=error.reason) from error
            is_stale = error.code == THROWN and STALE_MARK in error.reason
            kind = StaleBatchError if is_stale else InsertRejectedError
            raise kind(
                table=table, row_count=row_count, code=error.code, reason=error.reason
            ) from error.__cause__
        return InsertSummary(
            written_rows=int(summary.get("written_rows", 0)),
            written_bytes=int(summary.get("written_bytes", 0)),
        )

    def _call(self, call: Callable[[], T]) -> T:
        with self._translating():
            return call()

    def _translating(self) -> AbstractContextManager[None]:
        return _translated(self.dsn)


class AsyncHistory:
    """The `History` port over a `HistoryClient`: each query runs in a thread."""

    def __init__(self, client: HistoryClient) -> None:
        self._client = client

    async def query(
        self, sql: str, parameters: Mapping[str, Any] | None = None
    ) -> Sequence[Mapping[str, Any]]:
        """Return the rows of `sql`; raises as `HistoryClient.query` does."""
        return await asyncio.to_thread(self._client.query, sql, parameters)


@contextmanager
def open_history(config: HistoryConfig) -> Iterator[HistoryClient]:
    """Open history and close it at the end.

    Raises:
        HistoryUnavailableError: nothing answers there, or it refuses our credentials.
        QueryFailedError: it answers with another error.
    """
    with _translated(config.public_dsn):
        driver = _open_embedded(config) if config.is_embedded else _open_server(config)
    client = HistoryClient(config, driver)
    try:
        yield client
    finally:
        client.close()


def _open_embedded(config: HistoryConfig) -> Client:
    return clickhouse_connect.get_client(interface="chdb", path=config.path)


def _open_server(config: HistoryConfig) -> Client:
    parts = urlsplit(config.dsn)
    with _plain_blocks():
        return clickhouse_connect.get_client(
            host=parts.hostname,
            port=parts.port or (8443 if parts.scheme == "https" else 8123),
            interface=parts.scheme,
            username=unquote(parts.username or "default"),
            password=unquote(parts.password or ""),
            # Every statement of ours names its database, which may not exist yet when a migration
            # opens history.
            database=None,
            compress=False,
            autogenerate_session_id=False,
            connect_timeout=int(config.connect_timeout.total_seconds()),
            send_receive_timeout=int(config.request_timeout.total_seconds()),
        )


@contextmanager
def _plain_blocks() -> Iterator[None]:
    """Let the clients opened inside ask for blocks in their oldest form.

    The newer one brings nothing that is read here, and where one process owns the data it costs a
    second look at every query: the engine does not write that form itself.
    """
    with _OPENING:
        before = common.get_setting(_PROTOCOL)
        common.set_setting(_PROTOCOL, value=False)
        try:
            yield
        finally:
            common.set_setting(_PROTOCOL, value=before)


@contextmanager
def _translated(dsn: str) -> Iterator[None]:
    try:
        yield
    except ClickHouseError as error:
        raise _translate(dsn, error) from error


def _translate(dsn: str, error: ClickHouseError) -> HistoryError:
    """Return our error for one of the driver's."""
    text = str(error)
    code = error.code if isinstance(error, Error) else None
    if code is None and (found := _CODE.search(text)):
        code = int(found.group(1))
    if code is None and isinstance(error, OperationalError):
        return HistoryUnavailableError(dsn=dsn, reason=_first_line(text))
    reason = _first_line(text)
    if code == ACCESS_DENIED and reason.startswith(_REFUSED):
        return QueryRefusedError(reason=reason.removeprefix(_REFUSED).removesuffix(_DENIED))
    return QueryFailedError(code=code or 0, reason=reason)


def _first_line(text: str) -> str:
    """Return the sentence that says what happened, without the engine's prefix and version."""
    text = re.sub(r"^.*?Code:\s*\d+\.\s*(DB::Exception:)?\s*", "", text, flags=re.DOTALL)
    line = text.strip().partition("\n")[0]
    line = re.sub(r"\s*\(for url \S+\)\s*$", "", line)
    return re.sub(r"\s*\(version [^()]*(\([^()]*\))?[^()]*\)\s*$", "", line)
