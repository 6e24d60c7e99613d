"""Messages read back from history as they were received, page by page, in stream order.

Pages are queries of their own, so that a reader may take hours between two rows and no limit on a
query's time is met. They travel in the engine's RowBinary format: the only one that hands over
every byte of `raw` and of the subject as it is.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infrastructure.history.client import HistoryClient
from infrastructure.history.query_text import query_text

PAGE_ROWS = 1_000
"""A page is held in memory; events are a kilobyte, rarely a quarter of a megabyte."""
EVERYTHING: Mapping[str, Any] = {
    **dict.fromkeys(("role", "agent", "kind", "run", "trace", "resource"), ""),
    "since_ns": -(2**63),
    "until_ns": 2**63 - 1,
}
"""Parameters that ask for nothing in particular."""
_FIXED = struct.Struct("<Qq")


@dataclass(frozen=True, slots=True)
class StoredRow:
    """One message of a stream, out of history."""

    stream: str
    sequence: int
    event_time_ns: int
    subject: str
    raw: bytes


def stored_rows(
    history: HistoryClient,
    *,
    stream: str,
    first: int,
    last: int,
    asked: Mapping[str, Any] = EVERYTHING,
    page_rows: int = PAGE_ROWS,
) -> Iterator[StoredRow]:
    """Yield the messages from sequence `first` to `last` that `asked` asks for.

    Raises:
        QueryFailedError: the engine refused or gave up.
        HistoryUnavailableError: history cannot be reached.
    """
    after = first - 1
    while after < last:
        place = {"stream": stream, "after": after, "last": last, "limit": page_rows}
        page = history.raw(
            query_text("stored_range"), {**asked, **place}, output_format="RowBinary"
        )
        rows = list(parse_rows(stream, page))
        yield from rows
        if len(rows) < page_rows:
            return
        after = rows[-1].sequence


def parse_rows(stream: str, page: bytes) -> Iterator[StoredRow]:
    """Yield the rows of a page in RowBinary: UInt64, Int64, String, String."""
    position = 0
    while position < len(page):
        sequence, event_time_ns = _FIXED.unpack_from(page, position)
        subject, position = _string(page, position + _FIXED.size)
        raw, position = _string(page, position)
        yield StoredRow(
            stream, sequence, event_time_ns, subject.decode("utf-8", "surrogateescape"), raw
        )


def _string(page: bytes, position: int) -> tuple[bytes, int]:
    length = shift = 0
    while True:
        byte = page[position]
        position += 1
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            return page[position : position + length], position + length
        shift += 7
