"""ClickHouse's HTTP interface, request side: what is asked, by whom, in which forms; pure."""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import uuid4

from infrastructure.history.owner.form import form_fields
from infrastructure.history.owner.http1 import Request
from infrastructure.history.owner.outcome import AUTHENTICATION_FAILED, our_error

TRANSPORT_PARAMETERS = frozenset(
    {
        "buffer_size",
        "client_protocol_version",
        "close_session",
        "compress",
        "database",
        "decompress",
        "default_format",
        "enable_http_compression",
        "http_headers_progress_interval_ms",
        "http_native_compression_disable_checksumming_on_decompress",
        "http_zlib_compression_level",
        "password",
        "query",
        "query_id",
        "quota_key",
        "role",
        "send_progress_in_http_headers",
        "session_check",
        "session_id",
        "session_timeout",
        "stacktrace",
        "user",
        "wait_end_of_query",
    }
)
"""What the interface itself reads; everything else without `param_` is a setting of the engine."""
_INSERT_END = re.compile(rb"\bFORMAT\s+(\w+)\s*$", re.IGNORECASE)
_INSERT_HEAD = re.compile(rb"\s*INSERT\s+INTO\s", re.IGNORECASE)
_MAX_INSERT_HEAD = 64 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, taken apart."""

    user: str
    password: str
    database: str
    query: bytes
    """The statement; of an insert without its FORMAT."""
    input_format: str
    """Of an insert with data; else empty."""
    data: memoryview
    """What is to be inserted."""
    parameters: Mapping[str, str]
    settings: Mapping[str, str]
    default_format: str
    query_id: str
    is_get: bool
    waits_for_end: bool
    encoding: str
    """Content-Encoding to answer in; empty: as it is."""
    client_revision: int
    """The Native protocol that the client reads; 0: blocks without their header."""


def parse_call(request: Request, body: bytes | bytearray) -> Call:
    """Take a request apart; `body` is the request's, decompressed.

    Raises:
        EngineError: it cannot be read.
    """
    values = dict(request.query)
    if (fields := form_fields(request.headers.get("content-type", ""), body)) is not None:
        values, body = {**fields, **values}, b""
    user, password = credentials(request)
    query, input_format, data = _split(values.get("query", "").encode(), memoryview(body))
    return Call(
        user=user,
        password=password,
        database=values.get("database") or request.headers.get("x-clickhouse-database") or "swarm",
        query=query,
        input_format=input_format,
        data=data,
        parameters={k[6:]: v for k, v in values.items() if k.startswith("param_")},
        settings={
            k: v
            for k, v in values.items()
            if k not in TRANSPORT_PARAMETERS and not k.startswith("param_")
        },
        default_format=values.get("default_format")
        or request.headers.get("x-clickhouse-format")
        or "TabSeparated",
        query_id=values.get("query_id") or str(uuid4()),
        is_get=request.method in {"GET", "HEAD"},
        waits_for_end=values.get("wait_end_of_query") in {"1", "true"},
        encoding=_encoding(values, request.headers),
        client_revision=_number(values.get("client_protocol_version", "")),
    )


def credentials(request: Request) -> tuple[str, str]:
    """Return user and password, from headers or URL.

    Raises:
        EngineError: they cannot be read.
    """
    headers, values = request.headers, dict(request.query)
    if "x-clickhouse-user" in headers:
        return headers["x-clickhouse-user"], headers.get("x-clickhouse-key", "")
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            text = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise our_error(AUTHENTICATION_FAILED, "Authorization cannot be read") from None
        user, _, password = text.partition(":")
        return user, password
    return values.get("user", "default"), values.get("password", "")


def _split(query: bytes, body: memoryview) -> tuple[bytes, str, memoryview]:
    """Return statement, input format and data; data stays where it is, it may be large."""
    if query and _INSERT_HEAD.match(query):
        if end := _INSERT_END.search(query):
            return query[: end.start()], end[1].decode(), body
        return query + b"\n" + bytes(body), "", memoryview(b"")
    if query:
        separator = b"\n" if len(body) else b""
        return query + separator + bytes(body), "", memoryview(b"")
    head = bytes(body[:_MAX_INSERT_HEAD])
    if _INSERT_HEAD.match(head):
        line, newline, _ = head.partition(b"\n")
        if newline and (end := _INSERT_END.search(line)):
            return line[: end.start()], end[1].decode(), body[len(line) + 1 :]
    return bytes(body), "", memoryview(b"")


def _encoding(values: Mapping[str, str], headers: Mapping[str, str]) -> str:
    if values.get("enable_http_compression") == "0":
        return ""
    asked = [
        part.partition(";")[0].strip() for part in headers.get("accept-encoding", "").split(",")
    ]
    return _first(asked, ("lz4", "zstd", "gzip", "deflate"))


def _first(asked: Iterable[str], offered: Iterable[str]) -> str:
    wanted = {one.lower() for one in asked}
    return next((one for one in offered if one in wanted), "")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
