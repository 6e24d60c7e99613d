"""The endpoint: who asks, what may run, in which thread, under which limits, and the answer.

Three pools keep the parts from starving each other: one thread inserts (it is the lock around
inserts), a few serve the writer's other statements, a few serve readers. A reader that finds all
busy waits in a bounded line and is then refused with ClickHouse's own code.
"""

import asyncio
import functools
import hmac
import json
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TypeVar, cast
from uuid import uuid4

from infrastructure.errors import QueryRefusedError
from infrastructure.history.owner import guard
from infrastructure.history.owner.compression import decoded, encoded
from infrastructure.history.owner.engine import Answer, Engine, Statement, Written
from infrastructure.history.owner.guard_lists import MAX_LIMITS
from infrastructure.history.owner.http1 import BadRequestError, Request, Response
from infrastructure.history.owner.metrics import Metrics
from infrastructure.history.owner.native import HEADER_REVISION, assemble
from infrastructure.history.owner.outcome import (
    ACCESS_DENIED,
    AUTHENTICATION_FAILED,
    BAD_ARGUMENTS,
    QUERY_WAS_CANCELLED,
    READONLY,
    SYNTAX_ERROR,
    TIMEOUT_EXCEEDED,
    TOO_MANY_QUERIES,
    EngineError,
    our_error,
)
from infrastructure.history.owner.request import Call, parse_call

WRITER = "history_writer"
READER = "history_reader"
READER_THREADS = 4
WRITER_THREADS = 4
MAX_WAITING_READERS = 64
WAIT_SECONDS = 30.0
"""How long a reader waits for a thread."""
GRACE_SECONDS = 5.0
"""How long a query may take to notice its limit, before the client is answered without it."""
_PIECE_BYTES = 1 << 20
_STREAMED = frozenset(
    {"CSV", "JSONCompactEachRow", "JSONEachRow", "JSONLines", "NDJSON", "RowBinary", "TSV"}
    | {"TabSeparated", "TabSeparatedRaw", "TSVRaw", "LineAsString"}
)
"""Formats without head and tail, whose blocks can be sent one after another."""
_WRITER_SETTINGS = {"async_insert": "0", "session_timezone": "UTC"}
_READER_SETTINGS = {
    **{name: str(limit) for name, limit in MAX_LIMITS.items()},
    "max_threads": "0",
    "max_block_size": "65409",
    "max_ast_elements": "50000",
    "max_expanded_ast_elements": "500000",
    "max_temporary_columns": "10000",
    "max_subquery_depth": "100",
    "timeout_overflow_mode": "throw",
    "timeout_before_checking_execution_speed": "0",
    "max_bytes_before_external_group_by": "0",
    "max_bytes_before_external_sort": "0",
    "max_bytes_ratio_before_external_group_by": "0",
    "max_bytes_ratio_before_external_sort": "0",
    "session_timezone": "UTC",
    "allow_introspection_functions": "0",
    "allow_ddl": "0",
}
_TRAILING_FORMAT = re.compile(rb"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
_READS = re.compile(rb"[\s(]*(SELECT|WITH)\b", re.IGNORECASE)
_CONTENT_TYPES = {
    "JSON": "application/json; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "Native": "application/octet-stream",
    "XML": "application/xml; charset=UTF-8",
    "Arrow": "application/vnd.apache.arrow.file",
    "ArrowStream": "application/vnd.apache.arrow.stream",
    "Parquet": "application/octet-stream",
    "ORC": "application/octet-stream",
    "RowBinary": "application/octet-stream",
}
_log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """A statement that may run, and what its answer looks like."""

    statement: Statement
    output_format: str
    limit_seconds: float | None
    is_select: bool
    """Only results of SELECT come block by block."""


class Endpoint:
    """Answers requests; `open` the engine before, `close` after the last."""

    def __init__(self, engine: Engine, credentials: Mapping[str, str], metrics: Metrics) -> None:
        self._engine = engine
        self._credentials = credentials
        self._metrics = metrics
        self._inserting = ThreadPoolExecutor(1, thread_name_prefix="insert")
        self._writing = ThreadPoolExecutor(WRITER_THREADS, thread_name_prefix="write")
        self._reading = ThreadPoolExecutor(READER_THREADS, thread_name_prefix="read")
        self._checking = ThreadPoolExecutor(2, thread_name_prefix="check")
        self._places = asyncio.Semaphore(READER_THREADS)
        self._waiting_readers = 0
        self._tags: set[str] = set()
        self._closed_functions: frozenset[str] = frozenset()
        self.is_ready = False

    def open(self) -> None:
        """Learn from the opened engine what the guard must know, then let readers in."""
        names = self._engine.function_names()
        self._closed_functions = frozenset(
            name.lower() for name in names if not guard.is_function_open(name)
        )
        self.is_ready = True

    def close(self) -> None:
        """Stop what still runs and wait for the threads."""
        for tag in list(self._tags):
            self._engine.stop(tag)
        for pool in (self._inserting, self._writing, self._reading, self._checking):
            pool.shutdown(wait=True, cancel_futures=True)

    async def handle(self, request: Request) -> Response:
        """Answer one request; what goes wrong is answered as ClickHouse would."""
        if fixed := self._fixed(request):
            return fixed
        query_id = ""
        user = ""
        try:
            body = await self._decoded(request)
            call = parse_call(request, body)
            query_id = call.query_id
            user = self._authenticate(call)
            response = await self._answer(call, user, request)
        except BadRequestError as error:
            return Response(status=error.status, body=f"{error}\n".encode())
        except EngineError as error:
            self._metrics.failed(user, error.code)
            return _error_response(error, query_id)
        return response

    def _fixed(self, request: Request) -> Response | None:
        path = request.path.rstrip("/")
        if path in {"/ping", "/replicas_status", "/healthz"}:
            return Response(body=b"Ok.\n")
        if path == "/readyz":
            return Response(body=b"Ok.\n") if self.is_ready else Response(status=503)
        if path == "/metrics":
            return self._metrics.response()
        if path not in {"", "/query"}:
            return Response(status=404, body=b"There is no handle " + path.encode() + b"\n")
        if request.method not in {"GET", "POST", "HEAD"}:
            return Response(status=405, body=b"only GET and POST are answered\n")
        if not request.query and not request.body:
            return Response(body=b"Ok.\n")
        return None

    async def _decoded(self, request: Request) -> bytes | bytearray:
        if "content-encoding" not in request.headers:
            return request.body
        return await asyncio.to_thread(decoded, request.headers, request.body)

    def _authenticate(self, call: Call) -> str:
        expected = self._credentials.get(call.user, "") if call.user in {WRITER, READER} else ""
        if expected and hmac.compare_digest(expected.encode(), call.password.encode()):
            return call.user
        raise our_error(
            AUTHENTICATION_FAILED,
            f"{call.user}: Authentication failed: password is incorrect, or there is no such user",
        )

    async def _answer(self, call: Call, user: str, request: Request) -> Response:
        if not self.is_ready:  # nobody sees a schema that is not up to date yet
            raise our_error(TOO_MANY_QUERIES, "History is starting or stopping")
        if user == WRITER and call.input_format:
            return await self._insert(call)
        if user == WRITER:
            return await self._query(call, self._writer_plan(call), self._writing, request)
        if call.input_format:
            raise our_error(READONLY, "Cannot insert: this user only reads")
        return await self._read(call, await self._reader_plan(call), request)

    async def _read(self, call: Call, plan: _Plan, request: Request) -> Response:
        """Answer a reader; its place is free again when the answer is complete."""
        await self._take_place()
        try:
            response = await self._query(call, plan, self._reading, request)
        except BaseException:
            self._places.release()
            raise
        if isinstance(response.body, bytes | memoryview):
            self._places.release()
        else:
            response.body = self._releasing(response.body)
        return response

    async def _releasing(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        try:
            async with aclosing(cast("AsyncGenerator[bytes]", pieces)) as source:
                async for piece in source:
                    yield piece
        finally:
            self._places.release()

    async def _take_place(self) -> None:
        if self._waiting_readers >= MAX_WAITING_READERS:
            raise our_error(TOO_MANY_QUERIES, "Too many simultaneous queries")
        self._waiting_readers += 1
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._places.acquire()
        except TimeoutError:
            raise our_error(TOO_MANY_QUERIES, "Too many simultaneous queries") from None
        finally:
            self._waiting_readers -= 1

    # Inserts.

    async def _insert(self, call: Call) -> Response:
        if call.is_get:
            raise our_error(READONLY, "Cannot insert with GET")
        statement = Statement(
            sql=call.query.decode(),
            database=call.database,
            parameters=call.parameters,
            settings={**_WRITER_SETTINGS, **call.settings},
        )
        written = await self._in_thread(
            self._inserting, self._insert_now, statement, call.input_format, call.data
        )
        self._metrics.inserted(written)
        summary = {"written_rows": written.rows, "written_bytes": written.bytes}
        return _response(call, b"", "", _summary(summary, written.seconds))

    def _insert_now(self, statement: Statement, input_format: str, data: memoryview) -> Written:
        return self._engine.insert(statement, input_format, data)

    # Queries.

    def _writer_plan(self, call: Call) -> _Plan:
        found = _TRAILING_FORMAT.search(call.query)
        output_format = found[1].decode() if found else call.default_format
        return _Plan(
            statement=Statement(
                sql=_text(call.query),
                output_format=output_format,
                database=call.database,
                parameters=call.parameters,
                settings={**_WRITER_SETTINGS, **call.settings},
                readonly=2 if call.is_get else 0,
                tag=_tag(),
            ),
            output_format=output_format,
            limit_seconds=None,
            is_select=bool(_READS.match(call.query)),
        )

    async def _reader_plan(self, call: Call) -> _Plan:
        text = _text(call.query)
        if len(call.query) > guard.MAX_QUERY_BYTES:
            raise our_error(SYNTAX_ERROR, f"Max query size exceeded: {len(call.query)} bytes")
        database = "swarm" if call.database == "default" else call.database
        try:
            guard.check_database(database)
            asked = guard.check_settings(call.settings)
            guard.check_format(call.default_format)
            sql, permitted = await self._in_thread(self._checking, self._check, text, database)
        except QueryRefusedError as error:
            raise our_error(ACCESS_DENIED, str(error)) from error
        settings = {**_READER_SETTINGS, **asked, **permitted.settings}
        output_format = permitted.output_format or call.default_format
        return _Plan(
            statement=Statement(
                sql=sql,
                output_format=output_format,
                database=database,
                parameters=call.parameters,
                settings=settings,
                readonly=1,
                tag=_tag(),
            ),
            output_format=output_format,
            limit_seconds=float(settings["max_execution_time"]) + GRACE_SECONDS,
            is_select=bool(_READS.match(sql.encode())),
        )

    def _check(self, text: str, database: str) -> tuple[str, guard.Permitted]:
        """Return the text that may run and what was found in it."""
        tree, canonical = self._engine.parse(text)
        if tree is None:
            return canonical, guard.check_plain_statement(canonical, database)
        permitted = guard.check_tree(tree, database, self._closed_functions)
        if permitted.settings:
            # They go onto the handle, cut to the limits; `readonly` would refuse them in the text.
            canonical = self._engine.format_tree(guard.without_settings(tree))
        return canonical, permitted

    async def _query(
        self, call: Call, plan: _Plan, pool: ThreadPoolExecutor, request: Request
    ) -> Response:
        if plan.output_format == "Native" and call.client_revision >= HEADER_REVISION:
            work = functools.partial(self._native, plan, call.client_revision)
        elif plan.is_select and _can_stream(call, plan.output_format):
            return await self._stream(call, plan, pool, request)
        else:
            work = functools.partial(self._engine.run, plan.statement)
        answer = await self._guarded(plan, pool, request, work)
        self._metrics.answered(call.user, answer.seconds, len(answer.body))
        used, body = "", answer.body
        if call.encoding and body:
            used, body = await asyncio.to_thread(encoded, call.encoding, body)
        read = {"read_rows": answer.read_rows, "read_bytes": answer.read_bytes}
        headers = _summary({**read, "result_bytes": len(answer.body)}, answer.seconds)
        if used:
            headers["Content-Encoding"] = used
        return _response(call, body, plan.output_format, headers)

    def _native(self, plan: _Plan, revision: int) -> Answer:
        """Run a statement whose client reads newer Native blocks."""
        sql = str(plan.statement.sql)
        bare = re.sub(r"\s+FORMAT\s+Native\s*;?\s*$", "", sql, flags=re.IGNORECASE)
        if plan.is_select:
            probe = replace(plan.statement, sql=f"describe table ({bare})", tag="")
            names = self._engine.run(replace(probe, output_format="JSONCompactEachRow")).body
            columns = [tuple(json.loads(line)[:2]) for line in names.splitlines()]
        else:
            typed = replace(
                plan.statement, sql=bare, output_format="JSONCompactEachRowWithNamesAndTypes"
            )
            lines = self._engine.run(typed).body.splitlines()
            columns = (
                list(zip(json.loads(lines[0]), json.loads(lines[1]), strict=True)) if lines else []
            )
        answer = self._engine.run(replace(plan.statement, sql=bare, output_format="Buffers"))
        return replace(answer, body=assemble(answer.body, columns, revision))

    async def _guarded(
        self, plan: _Plan, pool: ThreadPoolExecutor, request: Request, work: Callable[[], T]
    ) -> T:
        """Run `work` in a thread; stop the query when its client leaves or its time is over."""
        tag = plan.statement.tag
        self._tags.add(tag)
        running = asyncio.ensure_future(self._in_thread(pool, work))
        running.add_done_callback(lambda _: self._tags.discard(tag))
        leaving = asyncio.ensure_future(request.gone.wait())
        try:
            await asyncio.wait(
                {running, leaving},
                timeout=plan.limit_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            leaving.cancel()
        if running.done():
            return running.result()
        await self._in_thread(self._checking, self._engine.stop, tag)
        running.add_done_callback(_look_away)
        if request.gone.is_set():
            raise our_error(QUERY_WAS_CANCELLED, "Query was cancelled: its client has left")
        raise our_error(TIMEOUT_EXCEEDED, f"Timeout exceeded: {plan.limit_seconds:g} seconds")

    async def _stream(
        self, call: Call, plan: _Plan, pool: ThreadPoolExecutor, request: Request
    ) -> Response:
        """Answer block by block; a short result is sent in one piece."""
        blocks = self._engine.stream(plan.statement)
        step = functools.partial(_take, blocks)
        first, is_last = await self._guarded(plan, pool, request, step)
        self._metrics.answered(call.user, 0.0, len(first))
        if is_last:
            headers = _summary({"result_bytes": len(first)}, 0.0)
            return _response(call, first, plan.output_format, headers)
        tag = uuid4().hex[:16]
        headers = {**_summary({}, 0.0), "X-ClickHouse-Exception-Tag": tag}
        response = _response(call, b"", plan.output_format, headers)
        response.body = self._rest(first, blocks, plan, pool, request, tag)
        return response

    async def _rest(
        self,
        first: bytes,
        blocks: Generator[bytes],
        plan: _Plan,
        pool: ThreadPoolExecutor,
        request: Request,
        tag: str,
    ) -> AsyncGenerator[bytes]:
        step = functools.partial(_take, blocks)
        try:
            yield first
            is_last = False
            while not is_last:
                piece, is_last = await self._guarded(plan, pool, request, step)
                yield piece
        except EngineError as error:
            yield _late_exception(error, tag)
        finally:
            await self._in_thread(pool, blocks.close)

    async def _in_thread(
        self, pool: ThreadPoolExecutor, work: Callable[..., T], *arguments: object
    ) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, work, *arguments)


def _can_stream(call: Call, output_format: str) -> bool:
    return output_format in _STREAMED and not call.waits_for_end and not call.encoding


def _take(blocks: Iterator[bytes]) -> tuple[bytes, bool]:
    """Return the next megabyte or so of a result, and whether it was the last."""
    pieces: list[bytes] = []
    size = 0
    for block in blocks:
        pieces.append(block)
        size += len(block)
        if size >= _PIECE_BYTES:
            return b"".join(pieces), False
    return b"".join(pieces), True


def _look_away(running: "asyncio.Future[T]") -> None:
    """Take the outcome of a query whose client was answered already."""
    if not running.cancelled() and (error := running.exception()):
        _log.info("query ended late", extra={"action": "query_ended_late", "reason": str(error)})


def _tag() -> str:
    return f"swarm-{uuid4().hex}"


def _text(query: bytes) -> str:
    try:
        return query.decode()
    except UnicodeDecodeError:
        raise our_error(BAD_ARGUMENTS, "The query is not UTF-8") from None


def _summary(figures: Mapping[str, int], seconds: float) -> dict[str, str]:
    names = ("read_rows", "read_bytes", "written_rows", "written_bytes", "result_rows")
    summary = dict.fromkeys((*names, "total_rows_to_read", "result_bytes"), "0")
    summary |= {name: str(value) for name, value in figures.items()}
    summary["elapsed_ns"] = str(int(seconds * 1e9))
    return {"X-ClickHouse-Summary": json.dumps(summary, separators=(",", ":"))}


def _response(call: Call, body: bytes, output_format: str, headers: Mapping[str, str]) -> Response:
    shared = {
        "Content-Type": _CONTENT_TYPES.get(
            output_format, "text/tab-separated-values; charset=UTF-8"
        ),
        "X-ClickHouse-Server-Display-Name": "swarm",
        "X-ClickHouse-Query-Id": call.query_id,
        "X-ClickHouse-Timezone": "UTC",
    }
    if output_format:
        shared["X-ClickHouse-Format"] = output_format
    return Response(headers={**shared, **headers}, body=body)


def _error_response(error: EngineError, query_id: str) -> Response:
    return Response(
        status=error.status,
        headers={
            "Content-Type": "text/plain; charset=UTF-8",
            "X-ClickHouse-Server-Display-Name": "swarm",
            "X-ClickHouse-Query-Id": query_id,
            "X-ClickHouse-Exception-Code": str(error.code),
            "X-ClickHouse-Timezone": "UTC",
        },
        body=error.body,
    )


def _late_exception(error: EngineError, tag: str) -> bytes:
    """Return what ClickHouse sends when a query fails after its answer has begun."""
    text = error.body.decode()
    return (
        f"\r\n__exception__\r\n{tag}\r\n{text}{len(text.encode())} {tag}\r\n__exception__\r\n"
    ).encode()
