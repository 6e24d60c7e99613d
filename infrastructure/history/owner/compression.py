"""HTTP's content encodings, as ClickHouse's clients ask for them."""

import gzip
import importlib
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from infrastructure.history.owner.head import BadRequestError


def _optional(name: str) -> Any:
    """Return a module that comes with the history client, or None in a stripped-down install."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


_lz4_frame = _optional("lz4.frame")
_zstd = _optional("backports.zstd")
_LEVEL = 1
"""Speed before size: the wire is usually the loopback."""


def _inflate(data: bytes | bytearray, max_bytes: int, window: int) -> bytes:
    machine = zlib.decompressobj(window)
    body = machine.decompress(data, max_bytes)
    if machine.unconsumed_tail or not machine.eof:
        raise BadRequestError(400, "the compressed body is cut short or too large")
    return body


def _from_zstd(data: bytes | bytearray, max_bytes: int) -> bytes:
    machine = _zstd.ZstdDecompressor()
    body: bytes = machine.decompress(bytes(data), max_length=max_bytes)
    if not machine.eof:
        raise BadRequestError(400, "the compressed body is cut short or too large")
    return body


def _from_lz4(data: bytes | bytearray, max_bytes: int) -> bytes:
    machine = _lz4_frame.LZ4FrameDecompressor()
    body: bytes = machine.decompress(bytes(data), max_length=max_bytes)
    if not machine.eof:
        raise BadRequestError(400, "the compressed body is cut short or too large")
    return body


_DECODERS: dict[str, Callable[[bytes | bytearray, int], bytes]] = {
    "gzip": lambda data, max_bytes: _inflate(data, max_bytes, 31),
    "deflate": lambda data, max_bytes: _inflate(data, max_bytes, 15),
}
_ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, _LEVEL, mtime=0),
    "deflate": lambda data: zlib.compress(data, _LEVEL),
}
if _zstd is not None:
    _DECODERS["zstd"] = _from_zstd
    _ENCODERS["zstd"] = lambda data: bytes(_zstd.compress(data, _LEVEL))
if _lz4_frame is not None:
    _DECODERS["lz4"] = _from_lz4
    _ENCODERS["lz4"] = lambda data: bytes(_lz4_frame.compress(data))


def decoded(
    headers: Mapping[str, str], body: bytes | bytearray, max_bytes: int
) -> bytes | bytearray:
    """Return a request's body as it was before its Content-Encoding.

    Raises:
        BadRequestError: the encoding is not offered, or the body is damaged, or too large then.
    """
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding in {"", "identity"}:
        return body
    decode = _DECODERS.get(encoding)
    if decode is None:
        raise BadRequestError(415, f"Content-Encoding {encoding} is not offered")
    try:
        return decode(body, max_bytes)
    except (OSError, EOFError, RuntimeError, ValueError, zlib.error) as error:
        raise BadRequestError(400, f"the body is not {encoding}") from error


def encoded(encoding: str, body: bytes) -> tuple[str, bytes]:
    """Return the encoding used, empty for none, and the body in it."""
    encode = _ENCODERS.get(encoding)
    if encode is None:
        return "", body
    return encoding, encode(body)
