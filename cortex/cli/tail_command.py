"""`swarm tail`: events as they come."""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, cast

import typer

from cortex.cli import options, output
from cortex.cli.errors import CommandFailedError
from cortex.cli.event_view import text_line, view_of_message
from cortex.cli.filters import EventFilter, takes_filter
from cortex.cli.merging import merged
from cortex.cli.places import bus_url
from cortex.cli.session import Session
from cortex.cli.times import to_datetime
from nervous_system.comms.connection import redact_url
from nervous_system.comms.contracts import Delivery
from nervous_system.comms.open import Bus, open_bus
from nervous_system.comms.reader import StreamReader
from nervous_system.comms.streams import COORDINATION_STREAM, EVENTS_STREAM
from nervous_system.config import BusConfig
from nervous_system.errors import BusUnavailableError

NO_TIMEOUT = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """When following ends by itself."""

    limit: int
    """After so many events; 0: never."""
    timeout: float
    """After so many seconds; 0: never."""
    until_ns: int | None
    """At this time, nanoseconds since 1970."""

    def is_over(self, now_ns: int) -> bool:
        """Whether `until_ns` has passed already: what is there is all there can be."""
        return self.until_ns is not None and self.until_ns <= now_ns

    def seconds_left(self, now_ns: int) -> float | None:
        """Return how long to go on at most, or None for ever."""
        bounds = [self.timeout] if self.timeout else []
        if self.until_ns is not None and not self.is_over(now_ns):
            bounds.append((self.until_ns - now_ns) / 1e9)
        return min(bounds, default=None)


@takes_filter
def tail(
    ctx: typer.Context,
    chosen: EventFilter,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=0, help="End after so many events; 0 goes on.")
    ] = 0,
    timeout: Annotated[
        float,
        typer.Option("--timeout", metavar="SECONDS", min=0, help="End after so long; 0 goes on."),
    ] = NO_TIMEOUT,
    json: options.Json = False,
) -> None:
    """Follow events live, from now on or from --since.

    Those of agents and those of tasks and runs come from two streams, each in its own order.
    With an --until that has passed, what is stored is printed and the command ends.
    Text on a terminal, JSON lines elsewhere and with --json. With --limit the command fails when
    --timeout or --until comes first.
    """
    ending = Ending(limit=limit, timeout=timeout, until_ns=chosen.until_ns)
    is_json = json or not sys.stdout.isatty()
    asyncio.run(_tail(bus_url(Session.of(ctx)), chosen, ending, is_json=is_json))


async def _tail(url: str, chosen: EventFilter, ending: Ending, *, is_json: bool) -> None:
    shown = 0
    now_ns = time.time_ns()
    with suppress(TimeoutError):
        async with (
            asyncio.timeout(ending.seconds_left(now_ns)),
            open_bus(BusConfig(url=url, name="swarm-tail")) as bus,
            aclosing(_matching(bus, url, chosen, follow=not ending.is_over(now_ns))) as views,
        ):
            async for view in views:
                _show(view, is_json=is_json)
                shown += 1
                if shown == ending.limit:
                    return
    if ending.limit:
        raise CommandFailedError(
            f"{shown} of {ending.limit} events came in time: wait longer, or ask for less"
        )


async def _matching(
    bus: Bus, url: str, chosen: EventFilter, *, follow: bool
) -> AsyncGenerator[dict[str, Any]]:
    starts = await _starts(bus, url, chosen)
    sources = [
        cast("AsyncGenerator[Delivery]", reader.deliveries(start=start, follow=follow))
        for reader, start in starts.items()
    ]
    async with aclosing(merged(sources)) as deliveries:
        async for delivery in deliveries:
            view = _view(delivery)
            if chosen.matches(view):
                yield view


async def _starts(
    bus: Bus, url: str, chosen: EventFilter
) -> dict[StreamReader, int] | dict[StreamReader, datetime]:
    """Return what is read, the stream of tasks and runs as far as it may be, and from where on."""
    tasks = StreamReader(bus.nc, bus.js, servers=redact_url(url), stream=COORDINATION_STREAM)
    ends = {bus.reader: await bus.reader.end_of_stream()}
    place = f"{EVENTS_STREAM} from #{ends[bus.reader] + 1}"
    try:
        ends[tasks] = await tasks.end_of_stream()
    except BusUnavailableError as error:
        output.note(f"tasks and runs are left out: {error}")
    else:
        place += f", {COORDINATION_STREAM} from #{ends[tasks] + 1}"
    if chosen.since_ns is not None:
        return dict.fromkeys(ends, _stored_since(chosen.since_ns))
    output.note(f"following {place}")
    return {reader: end + 1 for reader, end in ends.items()}


def _view(delivery: Delivery) -> dict[str, Any]:
    return view_of_message(
        delivery.raw, stream=delivery.stream, sequence=delivery.sequence, subject=delivery.subject
    )


def _stored_since(since_ns: int) -> datetime:
    """Return from when on to read; what happened then was stored then or later."""
    earliest = datetime(1970, 1, 1, tzinfo=UTC)
    try:
        return max(earliest, to_datetime(since_ns))
    except OverflowError:
        return earliest


def _show(view: dict[str, Any], *, is_json: bool) -> None:
    if is_json:
        output.print_json_line(view)
    else:
        print(text_line(view), flush=True)
