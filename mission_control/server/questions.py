"""SQL from the dashboard: one statement, as a reader, under the limits of readers.

What a reader may ask is decided where the data is owned; nothing of it is judged again here.
"""

import json
import time
from collections.abc import Iterator
from itertools import islice
from typing import IO

from fastapi import Response

from cortex.cli.result_rows import OUTPUT_FORMAT, OUTPUT_SETTINGS, BrokenResultError, read_result
from infrastructure.errors import QueryFailedError
from mission_control.errors import BadQuestionError
from mission_control.server.archive import Archive
from mission_control.server.models import SqlColumn, SqlQuestion

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""What a browser can show; rows after that are left out."""
PIECE_BYTES = 1024 * 1024
_BROKEN = 0
"""Stands for the code of an error that the engine wrote into the middle of a result."""


class BoundedLines:
    """The whole lines of a result, as far as they come within so many bytes."""

    def __init__(self, source: IO[bytes], max_bytes: int) -> None:
        self._source = source
        self._left = max_bytes
        self.is_cut = False

    def __iter__(self) -> Iterator[bytes]:
        """Yield lines; `is_cut` says afterwards whether there were more."""
        rest = b""
        while piece := self._source.read(PIECE_BYTES):
            *lines, rest = (rest + piece).split(b"\n")
            yield from lines
            self._left -= len(piece)
            if self._left < 0:
                self.is_cut = True
                return
        if rest:
            yield rest


def answer(archive: Archive, question: SqlQuestion) -> Response:
    """Return the first rows of a query.

    Raises:
        BadQuestionError: there is no query.
        QueryRefusedError: readers may not ask that.
        QueryFailedError: the engine refused it, or gave up.
        HistoryUnavailableError: history cannot be reached.
    """
    text = question.query.strip().rstrip(";").rstrip()
    if not text:
        raise BadQuestionError(parameter="query", given="", expected="a query")
    started_at = time.perf_counter()
    with archive.client.stream(
        text, output_format=OUTPUT_FORMAT, settings=OUTPUT_SETTINGS
    ) as source:
        try:
            lines = BoundedLines(source, MAX_ANSWER_BYTES)
            result = read_result(lines)
            rows = list(islice(result.rows, question.max_rows + 1))
        except BrokenResultError as error:
            raise QueryFailedError(code=_BROKEN, reason=str(error)) from error
    columns = [
        SqlColumn(name=name, type=kind).model_dump()
        for name, kind in zip(result.names, result.types, strict=True)
    ]
    found = {
        "columns": columns,
        "rows": rows[: question.max_rows],
        "elapsed_ms": round((time.perf_counter() - started_at) * 1000, 3),
        "truncated": lines.is_cut or len(rows) > question.max_rows,
    }
    return Response(
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode(),
        media_type="application/json",
    )
