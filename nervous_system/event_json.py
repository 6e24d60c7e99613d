"""Events as JSON: the proto3 JSON mapping, both ways, with errors that name the field.

Names are the proto JSON names (`eventId`) on the way out; the proto's own names (`event_id`) are
understood too on the way in. JSON has no place for unknown fields: it is for people and for `swarm
publish`, never what a digest is made of.
"""

import json
from typing import Any

from google.protobuf import json_format
from google.protobuf.message_factory import GetMessageClass

from nervous_system.errors import InvalidEventError
from nervous_system.schemas import SwarmEvent

_WHOLE = "event"


def to_dict(event: SwarmEvent) -> dict[str, Any]:
    """Return the event in proto3's JSON mapping; 64-bit integers are strings, bytes base64."""
    value: dict[str, Any] = json_format.MessageToDict(event)
    return value


def to_json(event: SwarmEvent) -> str:
    """Return the event as one line of JSON."""
    return json.dumps(to_dict(event), ensure_ascii=False, separators=(",", ":"))


def from_json(text: str | bytes) -> SwarmEvent:
    """Return the event that a JSON object describes; nothing is filled in.

    Raises:
        InvalidEventError: not JSON, or names the field (`decision.confidenceScore`) that does not
        fit.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidEventError(field=_WHOLE, reason=f"not JSON: {error}") from error
    return from_dict(value)


def from_dict(value: object) -> SwarmEvent:
    """Return the event that a decoded JSON object describes; nothing is filled in.

    Raises:
        InvalidEventError: names the field (`decision.confidenceScore`) that does not fit.
    """
    if not isinstance(value, dict):
        raise InvalidEventError(
            field=_WHOLE, reason=f"a JSON object is expected, not {type(value).__name__}"
        )
    event = SwarmEvent()
    try:
        json_format.ParseDict(value, event)
    except (json_format.ParseError, TypeError, ValueError, RecursionError) as error:
        path, reason = _blame(SwarmEvent.DESCRIPTOR, value, error)
        raise InvalidEventError(field=path or _WHOLE, reason=reason) from error
    return event


def _blame(descriptor: Any, value: dict[str, Any], error: Exception) -> tuple[str, str]:
    """Parse the members of an object one by one until one fails alone, and go down into it."""
    fields: dict[str, Any] = {}
    for field in descriptor.fields:
        fields[field.json_name] = fields[field.name] = field
    for name, member in value.items():
        if name not in fields:
            return name, "no field of this name"
        try:
            json_format.ParseDict({name: member}, GetMessageClass(descriptor)())
        except (json_format.ParseError, TypeError, ValueError, RecursionError) as alone:
            inner = fields[name].message_type
            if inner is None or not isinstance(member, dict) or inner.GetOptions().map_entry:
                return name, _first_line(alone)
            path, reason = _blame(inner, member, alone)
            return f"{name}.{path}" if path else name, reason
    return "", _first_line(error)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
