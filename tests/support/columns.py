"""What the row of a message must read, worked out from the contract and not from our decoder."""

import struct
import uuid
from collections.abc import Mapping
from typing import Any

from google.protobuf.message import DecodeError

from nervous_system.schemas import SwarmEvent

EARLIEST, LATEST = -2_208_988_800, 9_223_372_035
"""Seconds since 1970 that DateTime64(9) holds and shows."""
NANOSECONDS = 1_000_000_000
ROLES = {0: "UNSPECIFIED", 1: "ARCHITECT", 2: "CODER", 3: "REVIEWER", 4: "OPERATOR"}
_SPECIAL = {"event_id", "timestamp", "agent_role"}


def expected_row(raw: bytes) -> dict[str, Any]:
    """Return the decoded columns of the row for `raw`.

    Times are nanoseconds since 1970, bytes upper-case hex, floats their 32 bits.
    """
    event = _parse(raw)
    row = _columns(event or SwarmEvent())
    if event is None:
        return {**row, "event_id": str(uuid.UUID(int=0)), "kind": "undecodable"}
    return {**row, "event_id": event.event_id.lower()}


def _parse(raw: bytes) -> SwarmEvent | None:
    try:
        event = SwarmEvent.FromString(raw)
    except DecodeError:
        return None
    is_text_form = len(event.event_id) == 36 and all(
        character in "0123456789abcdefABCDEF-" for character in event.event_id
    )
    try:
        parsed = uuid.UUID(event.event_id)
    except ValueError:
        return None
    return event if is_text_form and str(parsed) == event.event_id.lower() else None


def _columns(event: SwarmEvent) -> dict[str, Any]:
    kind = event.WhichOneof("payload") or "unknown"
    row: dict[str, Any] = {"kind": kind, "agent_role": _role(event.agent_role)}
    descriptor = SwarmEvent.DESCRIPTOR
    assert descriptor is not None
    for field in descriptor.fields:
        if field.containing_oneof is not None and field.message_type is not None:
            made = getattr(event if field.name == kind else SwarmEvent(), field.name)
            names = [one.name for one in field.message_type.fields]
            row |= {name: _plain(getattr(made, name)) for name in names}
        elif field.name not in _SPECIAL:
            row[field.name] = _plain(getattr(event, field.name))
    seconds, nanos = event.timestamp.seconds, event.timestamp.nanos
    is_outside = not EARLIEST <= seconds <= LATEST
    is_odd = not 0 <= nanos < NANOSECONDS
    held = min(max(seconds, EARLIEST), LATEST)
    row["event_time"] = held * NANOSECONDS + (0 if is_outside or is_odd else nanos)
    row["is_clamped"] = is_outside or is_odd
    return row


def _role(number: int) -> str:
    return ROLES.get(number, str(number))


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex().upper()
    if isinstance(value, float):
        return struct.unpack("<I", struct.pack("<f", value))[0]
    if isinstance(value, Mapping):
        return dict(value)
    return value if isinstance(value, str | int | bool) else list(value)
