"""What commands print: JSON by the rules that users rely on, tables for people.

JSON: 64-bit integers as numbers, times RFC 3339 in UTC, bytes as text where they are UTF-8 and
base64 where not, no NaN. Results go to stdout; messages and progress to stderr, progress only on a
terminal.
"""

import base64
import enum
import ipaddress
import json
import math
import os
import select
import sys
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import UnsupportedOperation
from pathlib import Path
from typing import Any

COLUMN_GAP = "  "


def to_json_value(value: Any) -> Any:
    """Return `value` with everything in it replaced by what JSON can hold."""
    if isinstance(value, Mapping):
        return {str(key): to_json_value(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_json_value(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return _scalar(value)


def format_time(at: datetime) -> str:
    """Return RFC 3339 in UTC; a time without zone is taken for UTC."""
    moment = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    return moment.isoformat().replace("+00:00", "Z")


def format_bytes(value: bytes) -> str:
    """Return the text that `value` is in UTF-8, else its base64."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return base64.b64encode(value).decode("ascii")


def dump_json(value: Any) -> str:
    """Return `value` as one line of JSON."""
    return json.dumps(to_json_value(value), ensure_ascii=False, allow_nan=False)


def print_json(value: Any) -> None:
    """Print one object, or one array of objects."""
    print(json.dumps(to_json_value(value), ensure_ascii=False, allow_nan=False, indent=2))


def print_json_array(rows: Iterable[Any]) -> None:
    """Print an array without holding all of it: one object per line."""
    opening = "["
    for row in rows:
        print(f"{opening}{dump_json(row)}", end="")
        opening = ",\n "
    print("[]" if opening == "[" else "]")


def print_json_line(value: Any) -> None:
    """Print one line of JSON at once, for commands that follow."""
    print(dump_json(value), flush=True)


def print_table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str] | None = None) -> None:
    """Print rows below their column names; no rows, no output but the names."""
    listed = list(rows)
    names = list(columns or (listed[0] if listed else ()))
    cells = [[format_cell(row.get(name)) for name in names] for row in listed]
    for line in format_table(names, cells):
        print(line)


def format_table(names: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table, columns as wide as their widest cell."""
    lines = [list(names), *cells] if names else list(cells)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        COLUMN_GAP.join(
            cell.ljust(width) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]


def format_cell(value: Any) -> str:
    """Return one value on one line."""
    plain = to_json_value(value)
    if plain is None:
        return ""
    text = plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
    return text.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")


def note(message: str) -> None:
    """Write a message for people to stderr."""
    print(message, file=sys.stderr, flush=True)


def is_reader_gone() -> bool:
    """Write out what is buffered; return whether nobody reads it any more, as behind `| head`."""
    try:
        sys.stdout.flush()
        is_gone = _is_pipe_broken()
    except BrokenPipeError:
        is_gone = True
    if is_gone:  # what is still buffered would fail again at the end of the process
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return is_gone


def progress(message: str) -> None:
    """Replace the line on stderr, on a terminal only; an empty message clears it."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{message}", end="", file=sys.stderr, flush=True)


def _is_pipe_broken() -> bool:
    """A write that failed may have left nothing behind that a flush could fail with."""
    poll = select.poll()
    with suppress(UnsupportedOperation):  # a stdout that is no file
        poll.register(sys.stdout.fileno(), 0)
    return any(found & (select.POLLERR | select.POLLHUP) for _, found in poll.poll(0))


def _scalar(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.name
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return format_bytes(bytes(value))
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (uuid.UUID, Decimal, Path, ipaddress.IPv4Address, ipaddress.IPv6Address)):
        return str(value)
    return _number(value)


def _number(value: Any) -> Any:
    """Numbers of numpy and arrow answer `item()`; what is left is a mistake of ours."""
    item = getattr(value, "item", None) or getattr(value, "as_py", None)
    if item is None:
        raise TypeError(f"{type(value).__name__} has no place in JSON")
    return to_json_value(item())
