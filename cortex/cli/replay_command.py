"""`swarm replay`: a range of what happened, again. Only reads, unless copies are asked for."""

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import nats.errors
import typer

from cortex.cli import options, output
from cortex.cli.errors import CommandFailedError
from cortex.cli.event_view import text_line, view_of_message
from cortex.cli.filters import EventFilter, takes_filter
from cortex.cli.fresh import FRESH_SECONDS, reached_sequences, until_fresh
from cortex.cli.pacing import FULL_SPEED, Pacer
from cortex.cli.places import bus_url, open_reader
from cortex.cli.republish import check_prefix, republished_subject
from cortex.cli.session import Session
from cortex.cli.times import parse_duration
from infrastructure.history.client import HistoryClient
from infrastructure.history.stored_rows import StoredRow, stored_rows
from nervous_system.comms.connection import BusClient, open_nats, redact_url, translated
from nervous_system.comms.streams import EVENTS_STREAM

_SPEED = re.compile(r"(\d+(?:\.\d+)?)x?")
HIGHEST_SEQUENCE = 2**63 - 1
FLUSH_EVENTS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """What is replayed."""

    chosen: EventFilter
    first: int
    last: int
    speed: float
    longest_pause_ns: int | None


@takes_filter
def replay(
    ctx: typer.Context,
    chosen: EventFilter,
    first: Annotated[int, typer.Option("--first", metavar="SEQ", min=1, help="From there.")] = 1,
    last: Annotated[
        int, typer.Option("--last", metavar="SEQ", min=1, help="Up to there.", show_default=False)
    ] = HIGHEST_SEQUENCE,
    speed: Annotated[
        str,
        typer.Option("--speed", help="original, full, or a factor such as 2x or 0.5x."),
    ] = "full",
    max_pause: Annotated[
        str, typer.Option("--max-pause", metavar="TIME", help="Cut longer pauses to this: 5s.")
    ] = "",
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="PREFIX", help="Publish copies under it instead, e.g. swarm.replay."
        ),
    ] = None,
    json: options.Json = False,
    timeout: options.Timeout = FRESH_SECONDS,
    no_wait: options.NoWait = False,
) -> None:
    """Print a range of the events again, in stream order, at full, original or scaled speed.

    With --to PREFIX, what was published on swarm.events.<rest> is published on PREFIX.<rest>,
    byte for byte; places where a copy would be taken for an event are refused. Text on a
    terminal, JSON lines elsewhere and with --json.
    """
    if first > last:
        raise typer.BadParameter(f"{first} lies behind --last {last}", param_hint="--first")
    asked = Range(
        chosen=chosen,
        first=first,
        last=last,
        speed=_speed(speed),
        longest_pause_ns=_pause(max_pause),
    )
    session = Session.of(ctx)
    prefix = _prefix(to)
    fresh_seconds = None if no_wait else timeout
    asyncio.run(
        _republish(session, asked, prefix, fresh_seconds)
        if prefix is not None
        else _print(session, asked, fresh_seconds, is_json=json or not sys.stdout.isatty())
    )


def _speed(text: str) -> float:
    named = {"full": FULL_SPEED, "original": 1.0}
    if text in named:
        return named[text]
    matched = _SPEED.fullmatch(text)
    if matched is None or not float(matched[1]):
        raise typer.BadParameter(
            f"{text!r} is not original, full, or a factor such as 2x", param_hint="--speed"
        )
    return float(matched[1])


def _pause(text: str) -> int | None:
    if not text:
        return None
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--max-pause") from error


def _prefix(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return check_prefix(text)
    except ValueError as error:
        raise CommandFailedError(str(error)) from error


async def _print(
    session: Session, asked: Range, fresh_seconds: float | None, *, is_json: bool
) -> None:
    async with _paced_rows(session, asked, fresh_seconds) as rows:
        async for row in rows:
            view = _view(row)
            line = output.dump_json(view) if is_json else text_line(view)
            # At full speed a reader gains nothing from each line at once.
            print(line, flush=asked.speed > FULL_SPEED)


async def _republish(
    session: Session, asked: Range, prefix: str, fresh_seconds: float | None
) -> None:
    url = bus_url(session)
    count = 0
    async with (
        open_nats(url, name="swarm-replay") as client,
        _paced_rows(session, asked, fresh_seconds) as rows,
    ):
        with translated("replay", redact_url(url)):
            async for row in rows:
                await client.publish(republished_subject(row.subject, prefix), row.raw)
                count += 1
                if asked.speed > FULL_SPEED or count % FLUSH_EVENTS == 0:
                    await client.flush()
            await client.flush()
    _check_permitted(client, prefix)
    output.note(f"{count} events published under {prefix}")


def _check_permitted(client: BusClient, prefix: str) -> None:
    """The server drops what a user may not publish and tells so only beside the connection."""
    problem = client.last_problem
    if isinstance(problem, nats.errors.Error) and "permissions violation" in str(problem).lower():
        raise CommandFailedError(
            f"the bus does not let this user publish under {prefix}: choose a prefix below swarm."
        )


@asynccontextmanager
async def _paced_rows(
    session: Session, asked: Range, fresh_seconds: float | None
) -> AsyncIterator[AsyncIterator[StoredRow]]:
    """Give the rows, each when it is due; history stays open meanwhile."""
    if fresh_seconds is not None:
        await until_fresh(session, fresh_seconds)
    with ExitStack() as stack:
        history = stack.enter_context(open_reader(session))
        yield _due(_rows(history, asked), asked)


async def _due(rows: Iterator[StoredRow], asked: Range) -> AsyncIterator[StoredRow]:
    pacer = Pacer(asked.speed, asked.longest_pause_ns)
    started = time.monotonic_ns()
    while (row := await asyncio.to_thread(next, rows, None)) is not None:
        wait_ns = started + pacer.due(row.event_time_ns) - time.monotonic_ns()
        if wait_ns > 0:
            await asyncio.sleep(wait_ns / 1e9)
        yield row


def _rows(history: HistoryClient, asked: Range) -> Iterator[StoredRow]:
    reached = reached_sequences(history).get(EVENTS_STREAM, 0)
    return stored_rows(
        history,
        stream=EVENTS_STREAM,
        first=asked.first,
        last=min(asked.last, reached),
        asked=asked.chosen.parameters(),
    )


def _view(row: StoredRow) -> dict[str, Any]:
    return view_of_message(row.raw, stream=row.stream, sequence=row.sequence, subject=row.subject)
