"""What takes the place of a message that was no event. Pure.

A redriven event's id is made from the place of the message that it stands for, so that doing it
again is a repeat and not a second event.
"""

import uuid

from google.protobuf.message import DecodeError

from cortex.cli.errors import CommandFailedError
from nervous_system import events
from nervous_system.errors import InvalidEventError
from nervous_system.schemas import SwarmEvent

ORIGIN_ATTRIBUTE = "redriven_from"
_NAMESPACE = uuid.UUID("6d2c2f3e-6f0a-5b57-9f3c-0f6b7a4f1d21")


def redriven_id(stream: str, sequence: int) -> str:
    """Return the id of the event that stands for the message there."""
    return str(uuid.uuid5(_NAMESPACE, f"{stream}#{sequence}"))


def repaired_event(raw: bytes, *, stream: str, sequence: int) -> SwarmEvent:
    """Return the event in `raw` if nothing but its id was wrong.

    Raises:
        CommandFailedError: more is wrong than can be put right without knowing what was meant.
    """
    place = f"{stream}#{sequence}"
    try:
        event = SwarmEvent.FromString(raw)
    except DecodeError as error:
        raise CommandFailedError(
            f"{place} is not protobuf of an event: give the corrected event with --event FILE"
        ) from error
    if not events.is_event_id(event.event_id):
        event.event_id = redriven_id(stream, sequence)
    return accepted_event(event, stream=stream, sequence=sequence)


def accepted_event(event: SwarmEvent, *, stream: str, sequence: int) -> SwarmEvent:
    """Return `event` marked with where it comes from.

    Raises:
        CommandFailedError: it is still no event that could be published.
    """
    event.attributes[ORIGIN_ATTRIBUTE] = f"{stream}#{sequence}"
    try:
        events.check(event)
    except InvalidEventError as error:
        raise CommandFailedError(
            f"{stream}#{sequence} cannot be published as it is ({error}): "
            "give the corrected event with --event FILE"
        ) from error
    return event
