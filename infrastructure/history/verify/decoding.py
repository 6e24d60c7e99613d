"""Decodes messages run by run, with the outcome that the ingestor's `decode` has; pure.

Where one of a run does not decode, its run is left to `decode`.
"""

from collections.abc import Sequence

from infrastructure.history.event_run import read_run
from infrastructure.ingestor.decoding import UNKNOWN, Decoded, all_uuids, decode
from nervous_system.schemas import SwarmEvent

RUN_MESSAGES = 4_096
"""Messages that are decoded as one."""


Events = list[SwarmEvent | None]
"""The event of each message; None where it does not decode."""


def decode_runs(payloads: Sequence[bytes]) -> tuple[Decoded, Events]:
    """Return what `decode` returns, and the events themselves."""
    found, events = Decoded(), Events()
    for start in range(0, len(payloads), RUN_MESSAGES):
        run = payloads[start : start + RUN_MESSAGES]
        if not _add_run(found, events, run, start):
            _add_singly(found, events, run, start)
    return found, events


def _add_run(found: Decoded, events: Events, payloads: Sequence[bytes], start: int) -> bool:
    """Decode a run as one; False: one of its messages is no event of ours."""
    run = read_run(payloads)
    if run is None:
        return False
    event_ids = [event.event_id for event in run.events]
    if not all_uuids(event_ids):
        return False
    found.canonical += run.canonical
    found.event_ids += event_ids
    found.kinds += [event.WhichOneof("payload") or UNKNOWN for event in run.events]
    found.agents += [event.agent_id for event in run.events]
    found.numbered += [
        (at, emitter, number)
        for at, event in enumerate(run.events, start)
        if (number := event.emitter_seq) and (emitter := event.emitter_id)
    ]
    events += run.events
    return True


def _add_singly(found: Decoded, events: Events, payloads: Sequence[bytes], start: int) -> None:
    one = decode(payloads)
    found.canonical += one.canonical
    found.kinds += one.kinds
    found.agents += one.agents
    found.event_ids += one.event_ids
    found.reasons.update((start + at, reason) for at, reason in one.reasons.items())
    found.numbered += [(start + at, emitter, number) for at, emitter, number in one.numbered]
    events += [
        None if at in one.reasons else SwarmEvent.FromString(canonical)
        for at, canonical in enumerate(one.canonical)
    ]
