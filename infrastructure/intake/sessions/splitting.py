"""Lines out of bytes that arrive in any pieces, and objects out of lines. Pure.

A line ends with a line feed and nothing else: transcripts hold carriage returns inside strings. The
last line may be half-written; it stays here until its end has come or somebody asks for it. What is
longer than the bound is not held: its beginning is kept, the rest is counted.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MAX_LINE_BYTES = 64 * 1024 * 1024
_BLANKS_BETWEEN = " \t\r"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a source."""

    number: int
    """From 1."""
    offset: int
    """Where it begins, in bytes."""
    content: bytes
    """Without its end."""
    is_terminated: bool = True
    """False: the source ends here, and the line may be half-written."""
    left_out_bytes: int = 0
    """How much of it is beyond the bound and was not held."""


class LineSplitter:
    """Cuts bytes into lines, wherever reads have cut them before."""

    def __init__(self, *, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._max_line_bytes = max_line_bytes
        self._pieces: list[bytes] = []
        self._held_bytes = 0
        self._left_out_bytes = 0
        self._number = 1
        self._offset = 0

    @property
    def position(self) -> int:
        """How many bytes were fed."""
        return self._offset + self._held_bytes + self._left_out_bytes

    def feed(self, data: bytes) -> Iterator[Line]:
        """Yield the lines that `data` ends."""
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            self._hold(data[start:end])
            yield self._take(is_terminated=True)
            start = end + 1
        self._hold(data[start:])

    def rest(self) -> Line | None:
        """Return what stands behind the last line's end, without taking it; None: nothing."""
        if not self._held_bytes:
            return None
        return self._line(is_terminated=False)

    def _hold(self, piece: bytes) -> None:
        room = self._max_line_bytes - self._held_bytes
        if len(piece) > room:
            self._left_out_bytes += len(piece) - room
            piece = piece[:room]
        if piece:
            self._pieces.append(piece)
            self._held_bytes += len(piece)

    def _line(self, *, is_terminated: bool) -> Line:
        content = b"".join(self._pieces)
        self._pieces = [content]
        return Line(
            number=self._number,
            offset=self._offset,
            content=content,
            is_terminated=is_terminated,
            left_out_bytes=self._left_out_bytes,
        )

    def _take(self, *, is_terminated: bool) -> Line:
        line = self._line(is_terminated=is_terminated)
        self._offset += self._held_bytes + self._left_out_bytes + 1
        self._number += 1
        self._pieces, self._held_bytes, self._left_out_bytes = [], 0, 0
        return line


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What a line holds."""

    objects: tuple[dict[str, Any], ...]
    is_blank: bool = False
    is_malformed: bool = False
    """It is not one JSON object; `objects` are those that could be recovered."""


_decoder = json.JSONDecoder()


def parse_line(text: str) -> Parsed:
    """Return the objects in a line; of several glued together each one, up to the first fault."""
    if not text.strip():
        return Parsed(objects=(), is_blank=True)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return Parsed(objects=tuple(_recover(text)), is_malformed=True)
    if isinstance(value, dict):
        return Parsed(objects=(value,))
    return Parsed(objects=(), is_malformed=True)


def _recover(text: str) -> Iterator[dict[str, Any]]:
    end, position = len(text.rstrip()), 0
    while position < end:
        try:
            value, position = _decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            return
        if isinstance(value, dict):
            yield value
        while position < len(text) and text[position] in _BLANKS_BETWEEN:
            position += 1
