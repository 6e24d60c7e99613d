"""One event as commands show it: the columns of `swarm.events`, and only its own payload's. Pure.

An event from the stream and the same event from history look the same.
"""

import math
import struct
from collections.abc import Mapping
from typing import Any

from cortex.cli.output import format_bytes, format_cell
from cortex.cli.times import NANOSECONDS, format_time, parse_time
from nervous_system.errors import EventDecodeError
from nervous_system.events import KINDS, UNKNOWN_KIND, decode, kind_of
from nervous_system.schemas import AgentRole, SwarmEvent

UNDECODABLE_KIND = "undecodable"
EVENT_KINDS = (*KINDS, UNKNOWN_KIND, UNDECODABLE_KIND)
PLACE_COLUMNS = ("stream", "stream_seq", "event_id", "event_time", "subject")
ENVELOPE_COLUMNS = (
    *("trace_id", "span_id", "agent_role", "agent_id", "kind", "run_id", "workspace_id"),
    *("emitter_id", "emitter_seq", "caused_by", "attributes"),
)
LOWEST_SECONDS = -2_208_988_800
HIGHEST_SECONDS = 9_223_372_035


NO_EVENT = {
    **dict.fromkeys((*PLACE_COLUMNS, *ENVELOPE_COLUMNS), ""),
    "event_id": "00000000-0000-0000-0000-000000000000",
    "event_time": "1970-01-01T00:00:00Z",
    "agent_role": "UNSPECIFIED",
    "kind": UNDECODABLE_KIND,
    "emitter_seq": 0,
    "caused_by": [],
    "attributes": {},
}
"""What history shows of a message that is no event."""


def payload_columns(kind: str) -> tuple[str, ...]:
    """Return the payload columns of a kind, under their proto names."""
    if kind == UNDECODABLE_KIND:
        return ("undecodable_reason",)
    field = SwarmEvent.DESCRIPTOR.fields_by_name.get(kind)
    if field is None or field.message_type is None:
        return ()
    return tuple(inner.name for inner in field.message_type.fields)


def view_of_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the view of a row of `swarm.events`."""
    names = (*PLACE_COLUMNS, *ENVELOPE_COLUMNS, *payload_columns(str(row["kind"])))
    view = {name: row[name] for name in names}
    # The engine writes all nine digits of the second, needed or not.
    view["event_time"] = format_time(event_time_ns(row))
    return view


def view_of_event(event: SwarmEvent, *, stream: str, sequence: int, subject: str) -> dict[str, Any]:
    """Return the view of an event of the stream."""
    kind = kind_of(event)
    seconds = max(LOWEST_SECONDS, min(HIGHEST_SECONDS, event.timestamp.seconds))
    is_held = seconds == event.timestamp.seconds and 0 <= event.timestamp.nanos < NANOSECONDS
    view: dict[str, Any] = {
        "stream": stream,
        "stream_seq": sequence,
        "event_id": event.event_id.lower(),
        "event_time": format_time(
            seconds * NANOSECONDS + (event.timestamp.nanos if is_held else 0)
        ),
        "subject": subject,
        "trace_id": event.trace_id,
        "span_id": event.span_id,
        "agent_role": role_name(event.agent_role),
        "agent_id": event.agent_id,
        "kind": kind,
        "run_id": event.run_id,
        "workspace_id": event.workspace_id,
        "emitter_id": event.emitter_id,
        "emitter_seq": event.emitter_seq,
        "caused_by": list(event.caused_by),
        "attributes": dict(event.attributes),
    }
    payload = getattr(event, kind, None)
    return view | {name: _plain(getattr(payload, name)) for name in payload_columns(kind)}


def view_of_message(raw: bytes, *, stream: str, sequence: int, subject: str) -> dict[str, Any]:
    """Return the view of a message of the stream, event or not."""
    try:
        event = decode(raw)
    except EventDecodeError as error:
        place = {"stream": stream, "stream_seq": sequence, "subject": subject}
        return NO_EVENT | place | {"undecodable_reason": error.reason}
    return view_of_event(event, stream=stream, sequence=sequence, subject=subject)


def role_name(role: int) -> str:
    """Return how `swarm.events.agent_role` reads; the number of a newer role."""
    try:
        return AgentRole.Name(role).removeprefix("ROLE_")
    except ValueError:
        return str(role)


def event_time_ns(view: Mapping[str, Any]) -> int:
    """Return the event's time in nanoseconds since 1970."""
    return parse_time(str(view["event_time"]), now_ns=0)


def text_line(view: Mapping[str, Any]) -> str:
    """Return one line for people."""
    who = view["agent_id"] or view["agent_role"].lower()
    parts = (
        f"#{view['stream_seq']}",
        str(view["event_time"]),
        str(who),
        str(view["kind"]),
        summary(view),
    )
    return "  ".join(format_cell(part) for part in parts if part)


def summary(view: Mapping[str, Any]) -> str:
    """Return what an event says, in a few words."""
    match view["kind"]:
        case "decision":
            return str(view["rationale"] or view["input_trigger"])
        case "state_change":
            before, after = view["previous_state_hash"][:8], view["new_state_hash"][:8]
            return (
                f"{view['target_type']} {view['target_resource']} "
                f"{before or 'absent'} -> {after or 'absent'}"
            )
        case "system_signal":
            return f"{view['status']} {view['detail']}".strip()
        case "tombstone":
            return str(view["tombstone_reason"])
        case "workspace_created":
            return str(view["created_workspace_id"])
        case "tool_call" | "task_transition" | "run_transition" | "model_call":
            return _work_summary(view)
        case "session_line":
            return f"{view['line_source']} #{view['line_number']} {view['line_type']}"
        case "session_mark":
            return f"{view['mark_type']} {view['mark_text']}".strip()
        case "step_transition" | "message" | "mailbox_read" | "memory_change" | "artifact_stored":
            return _shared_summary(view)
        case _:
            return str(view.get("undecodable_reason", ""))


def _work_summary(view: Mapping[str, Any]) -> str:
    words: tuple[Any, ...]
    match view["kind"]:
        case "tool_call":
            took = _milliseconds(view["tool_duration_us"])
            words = (view["tool_name"], view["tool_arguments"], view["tool_outcome"], took)
        case "task_transition":
            words = (view["task_id"], view["task_state"], view["task_worker"], view["task_reason"])
        case "run_transition":
            words = (view["run_id"], view["run_state"], view["run_reason"])
        case _:
            used = f"{view['input_tokens']} in, {view['output_tokens']} out"
            took = _milliseconds(view["model_duration_us"])
            words = (view["model_name"], view["model_outcome"], used, took)
    return " ".join(str(word) for word in words if word)


def _shared_summary(view: Mapping[str, Any]) -> str:
    words: tuple[Any, ...]
    match view["kind"]:
        case "step_transition":
            words = (view["step_id"], view["step_trigger"], view["step_state"], view["step_holder"])
        case "message":
            words = (f"to {view['message_recipient']}:", view["message_text"])
        case "mailbox_read":
            words = (f"mailbox read through #{view['read_through']}",)
        case "memory_change":
            words = (view["memory_key"], view["memory_format"], view["memory_value"])
        case _:
            size = f"{view['artifact_size_bytes']} bytes"
            version = f"version {view['artifact_version']}"
            words = (view["artifact_name"], version, size, view["artifact_step"])
    return " ".join(str(word) for word in words if word)


def _milliseconds(microseconds: int) -> str:
    return f"{microseconds / 1000:.1f} ms"


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return format_bytes(value)
    if isinstance(value, float):
        return shortest_float32(value)
    return value if isinstance(value, str | int) else list(value)


def shortest_float32(value: float) -> float | None:
    """Return the shortest decimal that is this 32-bit float, as history shows it."""
    if not math.isfinite(value):
        return None
    wanted = struct.pack("f", value)
    candidates = (float(f"{value:.{digits}g}") for digits in range(6, 10))
    return next((one for one in candidates if _packs_to(one, wanted)), value)


def _packs_to(value: float, wanted: bytes) -> bool:
    try:
        return struct.pack("f", value) == wanted
    except OverflowError:
        return False
