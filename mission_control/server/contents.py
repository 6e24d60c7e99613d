"""Contents by digest, as bytes that a browser saves or shows as text, and never runs."""

from fastapi import Request, Response

from cortex.errors import NotRecordedError
from mission_control.server.archive import Archive
from mission_control.server.headers import CONTENT_POLICY

MAX_BYTES = 64 * 1024 * 1024
"""More than that is fetched by `swarm restore`."""
TEXT = "text/plain; charset=utf-8"
BINARY = "application/octet-stream"
_MARGIN = 4
"""Bytes that the longest character of UTF-8 takes: the end may cut one."""


def content(archive: Archive, request: Request, digest: str, max_bytes: int) -> Response:
    """Return a content, or its beginning where it is longer than `max_bytes`.

    Raises:
        NotRecordedError: it is not kept.
        HistoryError: history cannot be asked.
    """
    tag = f'"{digest}-{max_bytes}"'
    headers = {
        "etag": tag,
        "cache-control": "private, max-age=31536000, immutable",
        "content-security-policy": CONTENT_POLICY,
        "content-disposition": f'attachment; filename="{digest[:16]}"',
    }
    sizes = archive.rows("content_size", digest=digest)
    if not sizes:
        raise NotRecordedError(subject=f"content {digest}", reason="history does not hold it")
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    found = _beginning(archive, digest, max_bytes)
    headers["x-content-bytes"] = str(sizes[0]["size"])
    return Response(found, media_type=media_type(found), headers=headers)


def media_type(content: bytes) -> str:
    """Return whether something is text: UTF-8 without NUL, but for a character cut at the end."""
    if b"\0" in content:
        return BINARY
    try:
        content.decode()
    except UnicodeDecodeError as error:
        is_cut = error.reason == "unexpected end of data" and error.start >= len(content) - _MARGIN
        return TEXT if is_cut else BINARY
    return TEXT


def _beginning(archive: Archive, digest: str, max_bytes: int) -> bytes:
    found = bytearray()
    for piece in archive.blobs.pieces(digest):
        found += piece
        if len(found) >= max_bytes:
            break
    return bytes(found[:max_bytes])
