"""A GET over loopback for health checks, so that the supervisor needs no HTTP library."""

import asyncio
import base64
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """Status and body of an answer."""

    status: int
    body: bytes


async def http_get(url: str, *, timeout: float) -> HttpAnswer | None:
    """Return the answer, or None where nothing answers within `timeout` seconds.

    User and password in the URL are sent as basic authentication.
    """
    try:
        async with asyncio.timeout(timeout):
            return await _get(url)
    except (OSError, TimeoutError, ValueError, IndexError):
        return None


async def _get(url: str) -> HttpAnswer:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(_request(url))
        await writer.drain()
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
    return HttpAnswer(int(head.split(b" ", 2)[1]), body)


def _request(url: str) -> bytes:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    # 1.0: no chunks in the answer; with the third line it ends where the connection ends
    lines = [
        f"GET {target} HTTP/1.0",
        f"Host: {parts.hostname}:{parts.port}",
        "Connection: close",
    ]
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        lines.append(f"Authorization: Basic {base64.b64encode(pair).decode('ascii')}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")
