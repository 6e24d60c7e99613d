"""`swarm events`: events from history."""

from collections.abc import Iterator
from operator import itemgetter
from typing import Annotated, Any

import typer

from cortex.cli import options, output
from cortex.cli.errors import CommandFailedError
from cortex.cli.event_view import text_line, view_of_row
from cortex.cli.filters import EventFilter, takes_filter
from cortex.cli.fresh import FRESH_SECONDS, reached_sequences, wait_until_fresh
from cortex.cli.places import open_reader
from cortex.cli.result_rows import (
    OUTPUT_FORMAT,
    OUTPUT_SETTINGS,
    BrokenResultError,
    read_result,
)
from cortex.cli.session import Session
from cortex.cli.sql_command import lines_of
from infrastructure.history.client import HistoryClient
from infrastructure.history.query_text import query_text

DEFAULT_LIMIT = 100
NO_LIMIT = 2**62


@takes_filter
def events(
    ctx: typer.Context,
    chosen: EventFilter,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=0, help="The newest so many; 0 lists all.")
    ] = DEFAULT_LIMIT,
    json: options.Json = False,
    timeout: options.Timeout = FRESH_SECONDS,
    no_wait: options.NoWait = False,
) -> None:
    """List events from history, oldest first; without filters the newest 100.

    Repeats of an emitter's number are left out, as in the views.
    """
    session = Session.of(ctx)
    wait_until_fresh(session, timeout, no_wait=no_wait)
    with open_reader(session) as history:
        views = listed_events(history, chosen, limit)
        if json:
            output.print_json_array(views)
            return
        for view in views:
            print(text_line(view))


def listed_events(
    history: HistoryClient, chosen: EventFilter, limit: int
) -> Iterator[dict[str, Any]]:
    """Yield the newest `limit` events that are asked for, oldest first.

    Where history holds several streams, they are merged by the time of ingestion; without a limit
    (0) they follow each other.

    Raises:
        CommandFailedError: the engine gave up in the middle.
    """
    streams = sorted(reached_sequences(history))
    if not limit:
        for stream in streams:
            for row in _rows(history, chosen, stream, NO_LIMIT):
                yield view_of_row(row)
        return
    newest = [row for stream in streams for row in _rows(history, chosen, stream, limit)]
    newest.sort(key=itemgetter("ingested_at"))  # stable: the order of each stream stays
    for row in newest[-limit:]:
        yield view_of_row(row)


def _rows(
    history: HistoryClient, chosen: EventFilter, stream: str, limit: int
) -> Iterator[dict[str, Any]]:
    parameters = chosen.parameters() | {"stream": stream, "limit": limit}
    with history.stream(
        query_text("listed_events"),
        parameters,
        output_format=OUTPUT_FORMAT,
        settings=OUTPUT_SETTINGS,
    ) as source:
        result = read_result(lines_of(source))
        try:
            for row in result.rows:
                yield dict(zip(result.names, row, strict=True))
        except BrokenResultError as error:
            raise CommandFailedError(f"query failed: {error}") from error
