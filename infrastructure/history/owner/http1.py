"""HTTP/1.1 for one purpose: bodies of tens of megabytes that reach their reader in one piece.

Headers and chunked bodies go through httptools. A body with a Content-Length is received straight
into the buffer that is handed on, which measured four times as fast as a general server. Requests
of one connection are answered one after another; while one is answered, only the end of the
connection is listened for, so that a query whose client has gone can be stopped.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import parse_qsl, unquote

import httptools

from infrastructure.history.owner.head import BadRequestError, Head, feed

MAX_HEAD_BYTES = 1 << 20
"""Request line and headers; a schema text travels in the URL of an insert."""
USUAL_BODY_BYTES = 64 << 20
"""Largest body of servers that set no limit of their own."""
HEAD_TIMEOUT = 60.0
"""Seconds between two pieces of a head; a connection at rest has no limit."""
SEND_TIMEOUT = 60.0
"""Seconds that a client may take nothing of its answer."""
_HIGH_WATER = 4 << 20
_REASONS = {
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    411: "Length Required",
    413: "Payload Too Large",
    415: "Unsupported Media Type",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}
_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Request:
    """One request, its body complete."""

    method: str
    path: str
    query: list[tuple[str, str]]
    """Parameters of the URL, decoded, in order; a name may repeat."""
    headers: dict[str, str]
    """Names in lower case; of a repeated one the last."""
    body: bytes | bytearray
    gone: asyncio.Event
    """Set when the client has left before the answer was complete."""


@dataclass(slots=True, kw_only=True)
class Response:
    """One answer. A body of several pieces is sent chunked, as they come."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | memoryview | AsyncIterator[bytes] = b""


Handler = Callable[[Request], Awaitable[Response]]
BodyLimit = Callable[[Request], int]
"""How many bytes the body of a request may have, told from its head; the body is still empty."""


class Connection(asyncio.BufferedProtocol):
    """One client. Its task reads a request, answers it, and starts again."""

    def __init__(
        self, handler: Handler, body_limit: BodyLimit, connections: "set[Connection]"
    ) -> None:
        self._handler = handler
        self._body_limit = body_limit
        self._connections = connections
        self._buffer = bytearray(64 << 10)
        self._filled = 0
        self._body: bytearray | None = None
        self._body_filled = 0
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._gone = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_last = False
        self.is_busy = False

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the task that reads and answers."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=_HIGH_WATER)
        self._writable.set()
        self._connections.add(self)
        self._task = asyncio.get_running_loop().create_task(self._serve())

    def get_buffer(self, sizehint: int) -> memoryview:
        """Offer where the next bytes go: the body itself, or the buffer of heads."""
        if self._body is not None:
            return memoryview(self._body)[self._body_filled :]
        if self._filled == len(self._buffer):
            self._double()
        return memoryview(self._buffer)[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        """Take note of bytes that arrived."""
        if self._body is not None:
            self._body_filled += nbytes
            if self._body_filled < len(self._body):
                return
            self._body = None  # complete: what follows belongs to the next request
        else:
            self._filled += nbytes
            if self.is_busy or self._filled >= MAX_HEAD_BYTES:
                self._pause()
        self._arrived.set()

    def eof_received(self) -> bool:
        """Take note that the client has left."""
        self._gone.set()
        self._arrived.set()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Release whoever waits for this connection."""
        self._gone.set()
        self._arrived.set()
        self._writable.set()
        self._connections.discard(self)

    def pause_writing(self) -> None:
        """Hold answers back: the client reads more slowly than we write."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Go on with answers."""
        self._writable.set()

    # The task.

    async def _serve(self) -> None:
        try:
            while await self._serve_one():
                pass
        except BadRequestError as error:
            self._write_head(error.status, {"Content-Length": "0", "Connection": "close"})
        except TimeoutError:
            self._write_head(408, {"Content-Length": "0", "Connection": "close"})
        finally:
            self.close()

    async def _serve_one(self) -> bool:
        request = await self._read_request()
        if request is None:
            return False
        self.is_busy = True
        try:
            response = await self._answer(request)
            await self._send(request, response)
        finally:
            self.is_busy = False
        keeps = request.headers.get("connection", "").lower() != "close"
        return keeps and not self._gone.is_set() and not self._is_last

    async def _answer(self, request: Request) -> Response:
        try:
            return await self._handler(request)
        except Exception:  # noqa: BLE001 - must be answered and logged, not end the connection unheard
            _log.exception("request failed", extra={"action": "request_failed"})
            return Response(status=500, body=b"Code: 1002. DB::Exception: internal error\n")

    async def _read_request(self) -> Request | None:
        end = await self._read_head()
        if end is None:
            return None
        head = Head()
        parser = httptools.HttpRequestParser(head)
        feed(parser, bytes(memoryview(self._buffer)[:end]))
        self._drop(end)
        request = self._begun_request(parser, head)
        head.max_body_bytes = self._body_limit(request)
        if head.headers.get("expect", "").lower() == "100-continue":
            self._write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await self._read_body(parser, head)
        if body is None:
            return None
        request.body = body
        return request

    def _begun_request(self, parser: httptools.HttpRequestParser, head: Head) -> Request:
        """Return the request as far as its head tells it."""
        target = httptools.parse_url(head.url)
        return Request(
            method=parser.get_method().decode("latin-1"),
            path=unquote((target.path or b"/").decode("latin-1")),
            query=parse_qsl((target.query or b"").decode("latin-1"), keep_blank_values=True),
            headers=head.headers,
            body=b"",
            gone=self._gone,
        )

    async def _read_head(self) -> int | None:
        """Wait for a complete head and return where it ends; None: the client left."""
        while (found := self._buffer.find(b"\r\n\r\n", 0, self._filled)) < 0:
            if self._filled >= MAX_HEAD_BYTES:
                raise BadRequestError(413, "the head is too large")
            self._resume()
            if self._gone.is_set():
                return None
            self._arrived.clear()
            if self._filled:
                async with asyncio.timeout(HEAD_TIMEOUT):
                    await self._arrived.wait()
            else:
                await self._arrived.wait()
        return found + 4

    async def _read_body(
        self, parser: httptools.HttpRequestParser, head: Head
    ) -> bytes | bytearray | None:
        length = head.headers.get("content-length")
        if "transfer-encoding" in head.headers:
            if length is not None:
                raise BadRequestError(400, "both Content-Length and Transfer-Encoding")
            return await self._read_chunked(parser, head)
        if not length or length == "0":
            return b""
        if not (length.isascii() and length.isdigit()):
            raise BadRequestError(400, "Content-Length is not a number")
        if int(length) > head.max_body_bytes:
            raise BadRequestError(413, "the body is too large")
        return await self._read_sized(int(length))

    async def _read_sized(self, length: int) -> bytearray | None:
        body = bytearray(length)
        have = min(length, self._filled)
        body[:have] = memoryview(self._buffer)[:have]
        self._drop(have)
        if have == length:
            return body
        self._arrived.clear()
        self._body_filled = have
        self._body = body
        try:
            while self._body_filled < length:
                if self._gone.is_set():
                    return None
                await self._arrived.wait()
        finally:
            self._body = None
        return body

    async def _read_chunked(self, parser: httptools.HttpRequestParser, head: Head) -> bytes | None:
        while not head.is_complete:
            if self._filled:
                piece = bytes(memoryview(self._buffer)[: self._filled])
                self._drop(self._filled)
                feed(parser, piece)
                continue
            if self._gone.is_set():
                return None
            self._arrived.clear()
            await self._arrived.wait()
        return b"".join(head.chunks)

    def _double(self) -> None:
        grown = bytearray(2 * len(self._buffer))
        grown[: self._filled] = self._buffer
        self._buffer = grown

    def _drop(self, count: int) -> None:
        """Forget the first `count` bytes, which have been used."""
        rest = self._filled - count
        self._buffer[:rest] = self._buffer[count : self._filled]
        self._filled = rest
        self._resume()

    def _pause(self) -> None:
        if self._transport is not None and self._transport.is_reading():
            self._transport.pause_reading()

    def _resume(self) -> None:
        transport = self._transport
        if transport is not None and not transport.is_closing() and not transport.is_reading():
            transport.resume_reading()

    # Answering.

    async def _send(self, request: Request, response: Response) -> None:
        body = response.body
        headers = dict(response.headers)
        if isinstance(body, bytes | memoryview):
            headers["Content-Length"] = str(len(body))
            self._write_head(response.status, headers)
            if request.method != "HEAD":
                self._write(body)
            await self._flushed()
            return
        headers["Transfer-Encoding"] = "chunked"
        self._write_head(response.status, headers)
        async with aclosing(cast("AsyncGenerator[bytes]", body)) as pieces:
            async for piece in pieces:
                if self._gone.is_set():
                    return
                if piece:
                    self._write(b"%x\r\n" % len(piece))
                    self._write(piece)
                    self._write(b"\r\n")
                    await self._flushed()
        self._write(b"0\r\n\r\n")

    async def _flushed(self) -> None:
        """Wait until the client has taken enough; one that takes nothing is let go."""
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                await self._writable.wait()
        except TimeoutError:
            self._gone.set()
            if self._transport is not None:
                self._transport.abort()

    def _write_head(self, status: int, headers: Mapping[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Status')}"]
        lines += [
            f"{name}: {value}".replace("\r", " ").replace("\n", " ")
            for name, value in headers.items()
        ]
        self._write("\r\n".join([*lines, "", ""]).encode("latin-1", "replace"))

    def _write(self, data: bytes | memoryview) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Send what is written and end the connection."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()

    def finish(self) -> None:
        """Close after the answer that is under way."""
        self._is_last = True

    async def wait_closed(self) -> None:
        """Wait for the task of this connection."""
        if self._task is not None:
            await asyncio.wait([self._task])


class Server:
    """Listens; close it with `close`, which lets answers under way finish for a while."""

    def __init__(self, server: asyncio.Server, connections: set[Connection]) -> None:
        self._server = server
        self._connections = connections

    @property
    def port(self) -> int:
        """The port in use."""
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self, timeout: float) -> None:
        """Stop listening, let busy connections finish up to `timeout` seconds, end the rest."""
        self._server.close()
        waiting = []
        for connection in list(self._connections):
            if connection.is_busy:
                waiting.append(connection.wait_closed())
                connection.finish()
            else:
                connection.close()
        if waiting:
            await asyncio.wait([asyncio.ensure_future(one) for one in waiting], timeout=timeout)
        for connection in list(self._connections):
            connection.close()


async def serve(
    handler: Handler, host: str, port: int, body_limit: BodyLimit = lambda _: USUAL_BODY_BYTES
) -> Server:
    """Start to answer requests on `host`:`port`; port 0 picks a free one.

    A body over its limit is refused before it is read, and the connection closed.
    """
    connections: set[Connection] = set()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(handler, body_limit, connections), host, port
    )
    return Server(server, connections)
