"""Rows of a query as the engine writes them, as values that JSON, CSV and tables show alike.

Pure. The engine writes one JSON array per line (`OUTPUT_FORMAT`, `OUTPUT_SETTINGS`): 64-bit
integers as numbers, times in RFC 3339 and UTC, strings as their bytes are. A string whose bytes
are not UTF-8 becomes the base64 of its bytes.
"""

import base64
import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OUTPUT_FORMAT = "JSONCompactEachRowWithNamesAndTypes"
OUTPUT_SETTINGS: Mapping[str, str] = {
    "output_format_json_quote_64bit_integers": "0",
    "date_time_output_format": "iso",
}
_EXCEPTION_MARK = b"Code: "


@dataclass(frozen=True, slots=True)
class ResultRows:
    """Names, types and rows of one result; `rows` can be read once."""

    names: tuple[str, ...]
    types: tuple[str, ...]
    rows: Iterator[list[Any]]


class BrokenResultError(ValueError):
    """The engine gave up in the middle of a result; the text is its own."""


def read_result(lines: Iterable[bytes]) -> ResultRows:
    """Return the result that `lines` hold; rows are decoded as they are asked for.

    Raises:
        BrokenResultError: a line is no row, here or while rows are read.
    """
    iterator = iter(lines)
    names = _decode_line(next(iterator, b"[]"))
    types = _decode_line(next(iterator, b"[]"))
    rows = (_decode_line(line) for line in iterator if line.strip())
    return ResultRows(tuple(map(str, names)), tuple(map(str, types)), rows)


def write_json_array(result: ResultRows) -> Iterator[str]:
    """Yield pieces of a JSON array with an object per row."""
    start = "["
    for row in result.rows:
        pairs = dict(zip(result.names, row, strict=True))
        yield f"{start}\n  {json.dumps(pairs, ensure_ascii=False)}"
        start = ","
    yield "[]\n" if start == "[" else "\n]\n"


def write_csv(result: ResultRows) -> Iterator[str]:
    """Yield lines of CSV after RFC 4180 with a header; arrays and maps are JSON, NULL is empty."""
    yield csv_line(result.names)
    for row in result.rows:
        yield csv_line([cell_text(value, missing="") for value in row])


def csv_line(cells: Sequence[str]) -> str:
    """Return one line of CSV, quoted where needed."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()


def cell_text(value: object, *, missing: str = "NULL") -> str:
    """Return one value as text for a cell."""
    if value is None:
        return missing
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _decode_line(line: bytes) -> list[Any]:
    try:
        decoded = json.loads(line.decode("utf-8", "surrogateescape"))
    except ValueError as error:
        raise BrokenResultError(_engine_text(line)) from error
    if not isinstance(decoded, list):
        raise BrokenResultError(_engine_text(line))
    return [plain_value(value) for value in decoded]


def plain_value(value: object) -> Any:
    """Return the value with base64 in the place of strings whose bytes are not UTF-8."""
    if isinstance(value, str):
        return _plain_text(value)
    if isinstance(value, list):
        return [plain_value(item) for item in value]
    if isinstance(value, dict):
        return {_plain_text(str(key)): plain_value(item) for key, item in value.items()}
    return value


def _plain_text(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return base64.b64encode(text.encode("utf-8", "surrogateescape")).decode("ascii")
    return text


def _engine_text(line: bytes) -> str:
    text = line[max(line.find(_EXCEPTION_MARK), 0) :].decode("utf-8", "replace").strip()
    return text[:500] or "the result ended early"
