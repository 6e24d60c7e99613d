"""`swarm publish`: events given as JSON lines; all of them are good, or none is published."""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from cortex.cli import options, output
from cortex.cli.errors import CommandFailedError
from cortex.cli.event_lines import EventLine, Filling, read_event_lines
from cortex.cli.files import replaced_file
from cortex.cli.known_events import known_sequences
from cortex.cli.places import bus_url
from cortex.cli.session import Session
from cortex.cli.times import format_time
from nervous_system import events
from nervous_system.comms.contracts import Outgoing, Publisher, Receipt, Wait
from nervous_system.comms.open import open_bus
from nervous_system.config import (
    HEADROOM_BYTES,
    MAX_PAYLOAD_BYTES,
    BusConfig,
    use_configured_patterns,
)
from nervous_system.errors import BusError, InvalidEventError
from nervous_system.schemas import SwarmEvent
from nervous_system.subjects import subject_for
from nervous_system.telemetry.redaction import redact_event

WINDOW_EVENTS = 4_000
LONGEST_EVENT_BYTES = MAX_PAYLOAD_BYTES - HEADROOM_BYTES
DEFAULT_TIMEOUT_SECONDS = 30.0


@dataclass(slots=True)
class Outcome:
    """What became of the lines, in their order."""

    lines: Sequence[EventLine]
    receipts: list[Receipt | None]
    failure: BusError | None = None

    @property
    def unacknowledged(self) -> list[EventLine]:
        """Lines without a receipt."""
        pairs = zip(self.lines, self.receipts, strict=True)
        return [line for line, receipt in pairs if receipt is None]


def publish(
    ctx: typer.Context,
    file: Annotated[
        str, typer.Argument(help="JSON lines, one event each; `-` or nothing reads stdin.")
    ] = "-",
    json: options.Json = False,
    timeout: options.Timeout = DEFAULT_TIMEOUT_SECONDS,
) -> None:
    """Publish events given as JSON lines and wait until they are on disk.

    Names are the proto's JSON names (eventId, agentRole, decision.rationale, ...). A missing
    eventId is made and a missing timestamp is now. Every line is checked first; if one is bad,
    each bad line is named with its field and nothing is published. Lines with an eventId can be
    published again: what is stored already is reported as a duplicate. Secrets in texts are
    taken out and counted, except in events that have an emitterSeq (SWARM_REDACT=0: in none).
    """
    session = Session.of(ctx)
    url = bus_url(session)
    lines = _checked_lines(file)
    if session.environment.get("SWARM_REDACT") != "0":
        _redact(session, lines)
    outcome = Outcome(lines, [None] * len(lines))
    if lines:
        _note_known(outcome, known_sequences(session, _own_ids(lines)))
        asyncio.run(_publish(url, outcome, timeout))
    if outcome.failure is not None:
        _fail(session, outcome)
    _report(outcome, as_json=json)


def _checked_lines(file: str) -> tuple[EventLine, ...]:
    filling = Filling(events.new_event_id, lambda: format_time(time.time_ns()))
    if file == "-":
        found = read_event_lines(sys.stdin.buffer, decode_checked, filling)
    else:
        with Path(file).open("rb") as source:
            found = read_event_lines(source, decode_checked, filling)
    for problem in found.problems:
        output.note(str(problem))
    if found.problems:
        count = len(found.problems) + len(found.events)
        raise CommandFailedError(
            f"{len(found.problems)} of {count} lines are no event; nothing was published"
        )
    return found.events


def decode_checked(fields: Mapping[str, Any]) -> SwarmEvent:
    """Return the event of one JSON object, fit to be published.

    Raises:
        InvalidEventError: names the field that is wrong.
    """
    event = events.from_dict(fields)
    events.check(event)
    size_bytes = event.ByteSize()
    if size_bytes > LONGEST_EVENT_BYTES:
        raise InvalidEventError(
            field="event", reason=f"{size_bytes} bytes encoded, at most {LONGEST_EVENT_BYTES}"
        )
    return event


def _redact(session: Session, lines: Sequence[EventLine]) -> None:
    """Take secrets out of text about the work.

    Numbered events stay as they are: the next one of their emitter carries the digest of their
    bytes, and who numbered them has redacted them.
    """
    use_configured_patterns(session.environment, session.home)
    for line in lines:
        if not line.event.emitter_seq:
            redact_event(line.event, session.home.redaction_key)


def _own_ids(lines: Sequence[EventLine]) -> list[str]:
    return [line.event.event_id for line in lines if line.has_own_id]


def _note_known(outcome: Outcome, known: Mapping[str, tuple[str, int]]) -> None:
    """Settle the lines that history holds already.

    The stream itself recognises a repeat for two minutes only.
    """
    for index, line in enumerate(outcome.lines):
        place = known.get(line.event.event_id.lower())
        if place is not None:
            outcome.receipts[index] = Receipt(
                event_id=line.event.event_id, stream=place[0], sequence=place[1], duplicate=True
            )


async def _publish(url: str, outcome: Outcome, timeout: float) -> None:
    lane = f"swarm-publish-{uuid4()}"
    todo = [index for index, receipt in enumerate(outcome.receipts) if receipt is None]
    async with open_bus(BusConfig(url=url, name="swarm-publish")) as bus:
        for start in range(0, len(todo), WINDOW_EVENTS):
            window = todo[start : start + WINDOW_EVENTS]
            await _publish_window(bus.publisher, outcome, window, lane, timeout)
            output.progress(f"published {start + len(window)} of {len(todo)}")
            if outcome.failure is not None:
                break
    output.progress("")


async def _publish_window(
    publisher: Publisher, outcome: Outcome, window: Sequence[int], lane: str, timeout: float
) -> None:
    """Publish some lines; one lane keeps them in the order of the file."""
    outgoing = [_outgoing(outcome.lines[index], lane) for index in window]
    answers = await asyncio.gather(
        *(publisher.submit(one, Wait.ACK, timeout) for one in outgoing), return_exceptions=True
    )
    for index, answer in zip(window, answers, strict=True):
        if isinstance(answer, Receipt):
            outcome.receipts[index] = answer
        elif isinstance(answer, BusError):
            outcome.failure = outcome.failure or answer
        else:
            raise answer


def _outgoing(line: EventLine, lane: str) -> Outgoing:
    event = line.event
    return Outgoing(
        subject=subject_for(event.agent_role, events.kind_of(event), event.agent_id),
        payload=events.encode(event),
        event_id=event.event_id,
        emitter_id=lane,
        emitter_seq=line.line,
    )


def _fail(session: Session, outcome: Outcome) -> None:
    """Keep the lines without an ack, with the ids that they were sent under, for another try."""
    left = outcome.unacknowledged
    session.home.ensure()
    path = session.home.root / f"unpublished-{time.time_ns()}.jsonl"
    with replaced_file(path) as file:
        for line in left:
            file.write(events.to_json(line.event).encode() + b"\n")
    raise CommandFailedError(
        f"{len(left)} of {len(outcome.lines)} events without an ack ({outcome.failure}): "
        f"they are in {path}, publish that file to go on"
    ) from outcome.failure


def _report(outcome: Outcome, *, as_json: bool) -> None:
    rows = [
        {
            "line": line.line,
            "event_id": receipt.event_id,
            "stream": receipt.stream,
            "sequence": receipt.sequence,
            "duplicate": receipt.duplicate,
        }
        for line, receipt in zip(outcome.lines, outcome.receipts, strict=True)
        if receipt is not None
    ]
    if as_json:
        output.print_json_array(rows)
        return
    for row in rows:
        print(f"#{row['sequence']}  {row['event_id']}{'  duplicate' if row['duplicate'] else ''}")
    repeats = sum(bool(row["duplicate"]) for row in rows)
    known = f", {repeats} were there already" if repeats else ""
    output.note(f"{len(rows) - repeats} events published{known}")
