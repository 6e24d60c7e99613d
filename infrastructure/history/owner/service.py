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
from dataclasses import replace
from pathlib import Path
from typing import TypeVar, cast
from uuid import uuid4

from infrastructure.history.owner.answer import (
    build_response,
    build_summary,
    error_response,
    late_exception,
)
from infrastructure.history.owner.compression import decoded, encoded
from infrastructure.history.owner.engine import Answer, Engine, Statement, Written
from infrastructure.history.owner.guard import is_function_open
from infrastructure.history.owner.head import BadRequestError
from infrastructure.history.owner.http1 import Request, Response
from infrastructure.history.owner.metrics import Metrics
from infrastructure.history.owner.native import HEADER_REVISION, assemble
from infrastructure.history.owner.outcome import (
    AUTHENTICATION_FAILED,
    NOT_ENOUGH_SPACE,
    QUERY_WAS_CANCELLED,
    READONLY,
    TIMEOUT_EXCEEDED,
    TOO_MANY_QUERIES,
    EngineError,
    our_error,
)
from infrastructure.history.owner.plan import WRITER_SETTINGS, Plan, Planner
from infrastructure.history.owner.request import Call, credentials, parse_call
from infrastructure.history.owner.room import free_bytes, needed_bytes

WRITER = "history_writer"
READER = "history_reader"
STRANGERS_BODY_BYTES = 64 << 10
"""Enough for a statement, whose answer is then that its sender is not known."""
_BODY_BYTES = {WRITER: 1 << 30, READER: 16 << 20}
"""The writer's are inserts of whole batches, the reader's are statements."""
READER_THREADS = 4
WRITER_THREADS = 4
MAX_WAITING_READERS = 64
WAIT_SECONDS = 30.0
"""How long a reader waits for a thread."""
STOP_TRIES = 10
STOP_PAUSE_SECONDS = 0.3
_PIECE_BYTES = 1 << 20
_STREAMED = frozenset(
    {"CSV", "JSONCompactEachRow", "JSONEachRow", "JSONLines", "NDJSON", "RowBinary", "TSV"}
    | {"TabSeparated", "TabSeparatedRaw", "TSVRaw", "LineAsString"}
)
"""Formats without head and tail, whose blocks can be sent one after another."""
_QUERY_PATHS = frozenset({"", "/query", "/swarm"})
"""The last is the database in our URLs, which curl sends as they are."""
_log = logging.getLogger(__name__)
T = TypeVar("T")


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
        self._planner = Planner(engine, frozenset())
        self.is_ready = False

    def open(self) -> None:
        """Learn from the opened engine what the guard must know, then let readers in."""
        names = self._engine.function_names()
        closed = frozenset(name.lower() for name in names if not is_function_open(name))
        self._planner = Planner(self._engine, closed)
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
            user = self._authenticate(request)
            body = await self._decoded(request, _BODY_BYTES[user])
            call = parse_call(request, body)
            query_id = call.query_id
            response = await self._answer(call, user, request)
        except BadRequestError as error:
            return Response(status=error.status, body=f"{error}\n".encode())
        except EngineError as error:
            self._metrics.failed(user, error.code)
            return error_response(error, query_id)
        return response

    def _fixed(self, request: Request) -> Response | None:
        path = request.path.rstrip("/")
        if path in {"/ping", "/replicas_status", "/healthz"}:
            return Response(body=b"Ok.\n")
        if path == "/readyz":
            return Response(body=b"Ok.\n") if self.is_ready else Response(status=503)
        if path == "/metrics":
            return self._metrics.response()
        if path not in _QUERY_PATHS:
            return Response(status=404, body=b"There is no handle " + path.encode() + b"\n")
        if request.method not in {"GET", "POST", "HEAD"}:
            return Response(status=405, body=b"only GET and POST are answered\n")
        if not request.query and not request.body:
            return Response(body=b"Ok.\n")
        return None

    async def _decoded(self, request: Request, max_bytes: int) -> bytes | bytearray:
        if "content-encoding" not in request.headers:
            return request.body
        return await asyncio.to_thread(decoded, request.headers, request.body, max_bytes)

    def body_limit(self, request: Request) -> int:
        """Return how large a body may be: of whoever does not say who it is, next to nothing."""
        try:
            return _BODY_BYTES[self._authenticate(request)]
        except EngineError:
            return STRANGERS_BODY_BYTES

    def _authenticate(self, request: Request) -> str:
        user, password = credentials(request)
        expected = self._credentials.get(user, "") if user in {WRITER, READER} else ""
        if expected and hmac.compare_digest(expected.encode(), password.encode()):
            return user
        raise our_error(
            AUTHENTICATION_FAILED,
            f"{user}: Authentication failed: password is incorrect, or there is no such user",
        )

    async def _answer(self, call: Call, user: str, request: Request) -> Response:
        if not self.is_ready:  # nobody sees a schema that is not up to date yet
            raise our_error(TOO_MANY_QUERIES, "History is starting or stopping")
        if user == WRITER and call.input_format:
            return await self._insert(call)
        if user == WRITER:
            return await self._query(call, self._planner.writer_plan(call), self._writing, request)
        if call.input_format:
            raise our_error(READONLY, "Cannot insert: this user only reads")
        return await self._read(
            call, await self._in_thread(self._checking, self._planner.reader_plan, call), request
        )

    async def _read(self, call: Call, plan: Plan, request: Request) -> Response:
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
            settings={**WRITER_SETTINGS, **call.settings},
        )
        written = await self._in_thread(
            self._inserting, self._insert_now, statement, call.input_format, call.data
        )
        self._metrics.inserted(written)
        summary = {"written_rows": written.rows, "written_bytes": written.bytes}
        return build_response(call, b"", "", build_summary(summary, written.seconds))

    def _insert_now(self, statement: Statement, input_format: str, data: memoryview) -> Written:
        free, needed = free_bytes(Path(self._engine.path)), needed_bytes(len(data))
        if free < needed:
            reason = f"the disk of history has {free} bytes left, an insert needs {needed}"
            raise our_error(NOT_ENOUGH_SPACE, f"Cannot insert: {reason}")
        return self._engine.insert(statement, input_format, data)

    # Queries.

    async def _query(
        self, call: Call, plan: Plan, pool: ThreadPoolExecutor, request: Request
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
        headers = build_summary({**read, "result_bytes": len(answer.body)}, answer.seconds)
        if used:
            headers["Content-Encoding"] = used
        return build_response(call, body, plan.output_format, headers)

    def _native(self, plan: Plan, revision: int) -> Answer:
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
        self, plan: Plan, pool: ThreadPoolExecutor, request: Request, work: Callable[[], T]
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
        await self._stop_running(tag, running)
        if request.gone.is_set():
            raise our_error(QUERY_WAS_CANCELLED, "Query was cancelled: its client has left")
        raise our_error(TIMEOUT_EXCEEDED, f"Timeout exceeded: {plan.limit_seconds:g} seconds")

    async def _stop_running(self, tag: str, running: "asyncio.Future[T]") -> None:
        """Stop a query; asked too early, before its pipeline runs, the engine may miss it."""
        running.add_done_callback(_look_away)
        for _ in range(STOP_TRIES):
            await self._in_thread(self._checking, self._engine.stop, tag)
            done, _ = await asyncio.wait({running}, timeout=STOP_PAUSE_SECONDS)
            if done:
                return

    async def _stream(
        self, call: Call, plan: Plan, pool: ThreadPoolExecutor, request: Request
    ) -> Response:
        """Answer block by block; a short result is sent in one piece."""
        blocks = self._engine.stream(plan.statement)
        step = functools.partial(_take, blocks)
        first, is_last = await self._guarded(plan, pool, request, step)
        self._metrics.answered(call.user, 0.0, len(first))
        if is_last:
            headers = build_summary({"result_bytes": len(first)}, 0.0)
            return build_response(call, first, plan.output_format, headers)
        tag = uuid4().hex[:16]
        headers = {**build_summary({}, 0.0), "X-ClickHouse-Exception-Tag": tag}
        response = build_response(call, b"", plan.output_format, headers)
        response.body = self._rest(first, blocks, plan, pool, request, tag)
        return response

    async def _rest(
        self,
        first: bytes,
        blocks: Generator[bytes],
        plan: Plan,
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
            yield late_exception(error, tag)
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
