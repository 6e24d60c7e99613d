"""`swarm sql`: one query, as a reader."""

import enum
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import IO, Annotated, BinaryIO

import typer

from cortex.cli import options
from cortex.cli.errors import CommandFailedError
from cortex.cli.files import replaced_file
from cortex.cli.fresh import FRESH_SECONDS, wait_until_fresh
from cortex.cli.output import format_table
from cortex.cli.places import open_reader
from cortex.cli.result_rows import (
    OUTPUT_FORMAT,
    OUTPUT_SETTINGS,
    BrokenResultError,
    ResultRows,
    cell_text,
    read_result,
    write_csv,
    write_json_array,
)
from cortex.cli.session import Session
from infrastructure.history.client import HistoryClient

TABLE_BLOCK_ROWS = 1_000
COPY_BYTES = 1 << 20
PARQUET_MAGIC = b"PAR1"


class SqlFormat(enum.StrEnum):
    """How the result looks."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


def sql(
    ctx: typer.Context,
    query: Annotated[
        str, typer.Argument(help="The query; `-` or nothing reads it from stdin.")
    ] = "-",
    output_format: Annotated[
        SqlFormat, typer.Option("--format", "-f", help="How the result looks.", show_choices=True)
    ] = SqlFormat.TABLE,
    as_json: options.Json = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write there.")
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param", metavar="NAME=VALUE", help="Value of {NAME:Type} in the query; repeatable."
        ),
    ] = None,
    timeout: options.Timeout = FRESH_SECONDS,
    no_wait: options.NoWait = False,
) -> None:
    """Ask history one question in SQL.

    Tables are swarm.events, its views (swarm.decisions, swarm.agents, ...) and swarm.spans. Only
    reading is allowed, within limits of time and memory. Parquet types every text as a string, also
    `raw` and digests, which are bytes: select hex(raw), or read that column as binary.
    """
    chosen = SqlFormat.JSON if as_json else output_format
    if chosen is SqlFormat.PARQUET and output is None and sys.stdout.isatty():
        raise typer.BadParameter("parquet is binary: pass --output FILE, or pipe stdout somewhere")
    text = _query_text(query)
    parameters = _parameters(param or [])
    session = Session.of(ctx)
    wait_until_fresh(session, timeout, no_wait=no_wait)
    with open_reader(session) as history, _opened(output) as file:
        if chosen is SqlFormat.PARQUET:
            _copy_parquet(history, text, parameters, file)
        else:
            _write_rows(history, text, parameters, chosen, file)


def _query_text(given: str) -> str:
    text = sys.stdin.read() if given == "-" else given
    text = text.strip().rstrip(";").rstrip()
    if not text:
        raise typer.BadParameter("the query is empty")
    return text


def _parameters(given: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    for name, equals, _ in pairs:
        if not equals or not name.isidentifier():
            raise typer.BadParameter(f"{name!r} is not NAME=VALUE", param_hint="--param")
    return {name: value for name, _, value in pairs}


@contextmanager
def _opened(path: Path | None) -> Iterator[BinaryIO]:
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with replaced_file(path) as file:
        yield file


def _write_rows(
    history: HistoryClient,
    query: str,
    parameters: Mapping[str, str],
    chosen: SqlFormat,
    file: IO[bytes],
) -> None:
    writers = {
        SqlFormat.JSON: write_json_array,
        SqlFormat.CSV: write_csv,
        SqlFormat.TABLE: write_table,
    }
    with history.stream(
        query, parameters, output_format=OUTPUT_FORMAT, settings=OUTPUT_SETTINGS
    ) as source:
        try:
            for piece in writers[chosen](read_result(lines_of(source))):
                file.write(piece.encode())
        except BrokenResultError as error:
            raise CommandFailedError(f"query failed: {error}") from error


def lines_of(source: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of a stream that can only be read in pieces."""
    rest = b""
    while piece := source.read(COPY_BYTES):
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
    if rest:
        yield rest


def write_table(result: ResultRows) -> Iterator[str]:
    """Yield a table; columns are as wide as the widest of the first rows."""
    cells = ([_one_line(value) for value in row] for row in result.rows)
    first = list(islice(cells, TABLE_BLOCK_ROWS))
    for line in format_table(result.names, first):
        yield line + "\n"
    for row in chain(cells):
        yield "  ".join(row) + "\n"


def _one_line(value: object) -> str:
    text = cell_text(value)
    return text.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")


def _copy_parquet(
    history: HistoryClient, query: str, parameters: Mapping[str, str], file: IO[bytes]
) -> None:
    tail = b""
    with history.stream(query, parameters, output_format="Parquet") as source:
        while piece := source.read(COPY_BYTES):
            file.write(piece)
            tail = (tail + piece)[-200:]
    # An engine that gives up in the middle writes its error where the file's end belongs.
    if not tail.endswith(PARQUET_MAGIC):
        raise CommandFailedError(f"query failed: {tail.decode('utf-8', 'replace')}")
