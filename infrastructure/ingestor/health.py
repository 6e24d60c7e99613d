"""Answers GET on `/healthz`, `/readyz` and `/metrics`; nothing else, hence no web framework."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

_READ_SECONDS = 5.0
_MAX_HEADER_BYTES = 16 * 1024
_REASONS = {200: "OK", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}

Answer = tuple[int, str]
"""HTTP status and text."""


@asynccontextmanager
async def open_health(
    host: str, port: int, *, routes: dict[str, Callable[[], Answer]]
) -> AsyncIterator[int]:
    """Serve the routes and give the port that they are served on; `port` 0 takes a free one."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_READ_SECONDS):
                header = await reader.readuntil(b"\r\n\r\n")
            writer.write(_respond(header, routes))
            await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # who does not speak HTTP, or leaves, gets no answer
        finally:
            writer.close()

    server = await asyncio.start_server(serve, host, port, limit=_MAX_HEADER_BYTES)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


def _respond(header: bytes, routes: dict[str, Callable[[], Answer]]) -> bytes:
    method, _, rest = header.partition(b" ")
    path = rest.partition(b" ")[0].partition(b"?")[0].decode("latin-1")
    if path not in routes:
        status, text = 404, "not found\n"
    elif method not in {b"GET", b"HEAD"}:
        status, text = 405, "only GET\n"
    else:
        status, text = routes[path]()
    body = text.encode()
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\n"
        "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (b"" if method == b"HEAD" else body)
