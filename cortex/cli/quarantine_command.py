"""`swarm quarantine`: messages of the stream that were no events, and what to do about them."""

import asyncio
import base64
import json as json_module
import re
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from cortex.cli import filters, options, output
from cortex.cli.errors import CommandFailedError
from cortex.cli.event_lines import Filling, read_event_lines
from cortex.cli.filters import build_filter
from cortex.cli.fresh import FRESH_SECONDS, wait_until_fresh
from cortex.cli.known_events import known_sequences
from cortex.cli.places import bus_url, open_reader
from cortex.cli.publish_command import decode_checked
from cortex.cli.redrive import accepted_event, redriven_id, repaired_event
from cortex.cli.session import Session
from cortex.cli.times import format_time
from infrastructure.history.query_text import query_text
from nervous_system import events
from nervous_system.comms.contracts import Outgoing, Receipt, Wait
from nervous_system.comms.open import open_bus
from nervous_system.comms.streams import EVENTS_STREAM
from nervous_system.config import BusConfig
from nervous_system.schemas import SwarmEvent
from nervous_system.subjects import subject_for

quarantine = typer.Typer(no_args_is_help=True, add_completion=False)

DEFAULT_LIMIT = 100
NO_LIMIT = 2**62
HEX_BYTES = 256
Place = Annotated[
    str, typer.Argument(metavar="SEQUENCE", help="#12, or STREAM#12 for another stream.")
]
_PLACE = re.compile(r"(?:(?P<stream>[A-Za-z0-9_-]+)?#)?(?P<sequence>\d+)")


@quarantine.command("ls", short_help="List them, newest last.")
def ls(
    ctx: typer.Context,
    since: filters.Since = "",
    until: filters.Until = "",
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=0, help="The newest so many; 0 lists all.")
    ] = DEFAULT_LIMIT,
    json: options.Json = False,
    timeout: options.Timeout = FRESH_SECONDS,
    no_wait: options.NoWait = False,
) -> None:
    """List the messages that were no events, newest last; times are those of ingestion."""
    bounds = build_filter(since=since, until=until).parameters()
    asked = {name: bounds[name] for name in ("since_ns", "until_ns")} | {"limit": limit or NO_LIMIT}
    session = Session.of(ctx)
    wait_until_fresh(session, timeout, no_wait=no_wait)
    with open_reader(session) as history:
        rows = history.query(query_text("dead_letters"), asked)
    if json:
        output.print_json_array(rows)
    else:
        output.print_table(rows)


@quarantine.command("show", short_help="Show one, bytes included.")
def show(
    ctx: typer.Context,
    place: Place,
    write: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write its bytes there.")
    ] = None,
    json: options.Json = False,
    timeout: options.Timeout = FRESH_SECONDS,
    no_wait: options.NoWait = False,
) -> None:
    """Show one message with its reason and its bytes."""
    session = Session.of(ctx)
    wait_until_fresh(session, timeout, no_wait=no_wait)
    letter = _read_letter(session, place)
    raw: bytes = letter.pop("raw")
    if write is not None:
        write.write_bytes(raw)
    if json:
        output.print_json(letter | {"raw": base64.b64encode(raw).decode("ascii")})
        return
    for name, value in letter.items():
        print(f"{name}: {output.format_cell(value)}")
    more = f" and {len(raw) - HEX_BYTES} bytes more" if len(raw) > HEX_BYTES else ""
    print(f"raw: {raw[:HEX_BYTES].hex(' ')}{more}")


@quarantine.command("redrive", short_help="Publish what one should have been.")
def redrive(
    ctx: typer.Context,
    place: Place,
    event_file: Annotated[
        Path | None,
        typer.Option("--event", metavar="FILE", help="The corrected event as JSON; - is stdin."),
    ] = None,
    json: options.Json = False,
    timeout: options.Timeout = 30.0,
    no_wait: options.NoWait = False,
) -> None:
    """Publish the event that a message should have been; the message itself stays as it is.

    Without --event, a message that is an event but for its id gets one. The event's attribute
    redriven_from names the message; doing it again publishes nothing new.
    """
    session = Session.of(ctx)
    wait_until_fresh(session, timeout, no_wait=no_wait)
    letter = _read_letter(session, place)
    stream, sequence = str(letter["stream"]), int(letter["stream_seq"])
    if event_file is None:
        event = repaired_event(letter["raw"], stream=stream, sequence=sequence)
    else:
        given = _read_event(event_file, redriven_id(stream, sequence))
        event = accepted_event(given, stream=stream, sequence=sequence)
    receipt = _known(session, event) or asyncio.run(_publish(bus_url(session), event, timeout))
    _report(receipt, as_json=json)


def _read_letter(session: Session, place: str) -> dict[str, Any]:
    matched = _PLACE.fullmatch(place)
    if matched is None:
        raise typer.BadParameter(f"{place!r} is not #12 or STREAM#12")
    stream = matched["stream"] or EVENTS_STREAM
    asked = {"stream": stream, "stream_seq": int(matched["sequence"])}
    with open_reader(session) as history:
        rows = history.query(query_text("dead_letter"), asked, bytes_columns=["raw"])
    if not rows:
        raise CommandFailedError(
            f"no message in quarantine at {stream}#{matched['sequence']}: "
            "`swarm quarantine ls` lists them"
        )
    return rows[0]


def _read_event(path: Path, event_id: str) -> SwarmEvent:
    content = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    try:
        # A person writes it over several lines.
        line = json_module.dumps(json_module.loads(content)).encode()
    except ValueError as error:
        raise CommandFailedError(f"{path} is not JSON: {error}") from error
    filling = Filling(lambda: event_id, lambda: format_time(time.time_ns()))
    found = read_event_lines([line], decode_checked, filling)
    if found.problems:
        problem = found.problems[0]
        raise CommandFailedError(f"{path}: {problem.field or 'event'}: {problem.reason}")
    return found.events[0].event


def _known(session: Session, event: SwarmEvent) -> Receipt | None:
    place = known_sequences(session, [event.event_id]).get(event.event_id.lower())
    if place is None:
        return None
    return Receipt(event_id=event.event_id, stream=place[0], sequence=place[1], duplicate=True)


async def _publish(url: str, event: SwarmEvent, timeout: float) -> Receipt:
    outgoing = Outgoing(
        subject=subject_for(event.agent_role, events.kind_of(event), event.agent_id),
        payload=events.encode(event),
        event_id=event.event_id,
    )
    async with open_bus(BusConfig(url=url, name="swarm-redrive")) as bus:
        return await bus.publisher.submit(outgoing, Wait.ACK, timeout)


def _report(receipt: Receipt, *, as_json: bool) -> None:
    if as_json:
        output.print_json(
            {
                "event_id": receipt.event_id,
                "stream": receipt.stream,
                "sequence": receipt.sequence,
                "duplicate": receipt.duplicate,
            }
        )
        return
    known = " (was there already)" if receipt.duplicate else ""
    print(f"#{receipt.sequence}  {receipt.event_id}{known}")
