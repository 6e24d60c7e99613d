"""How commands of a shared project print what they found: JSON objects, or lines for people."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cortex.coordination.errors import clock_time
from cortex.coordination.steps_rules import Step

if TYPE_CHECKING:
    from cortex.coordination.artifacts import Artifact
    from cortex.coordination.mailbox import Shown
    from cortex.coordination.memory_rules import Value
    from cortex.coordination.presence import Presence

GAP = "  "


def print_json(value: Any) -> None:
    """Print one object, or one array of objects."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def print_json_line(value: Any) -> None:
    """Print one object on a line, at once."""
    print(json.dumps(value, ensure_ascii=False), flush=True)


def print_table(rows: Iterable[Sequence[str]]) -> None:
    """Print rows in columns as wide as their widest cell."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        line = GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(line.rstrip())


def one_line(text: str) -> str:
    """Return a text on one line, whatever it holds: others have written it."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def plain_text(text: str) -> str:
    """Return a text of others with its lines, without what a terminal would obey."""
    return "\n".join(map(one_line, text.replace("\t", "    ").splitlines()))


def rfc3339(at: datetime | None) -> str | None:
    """Return a time, UTC."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def step_view(step: Step, now_ms: int) -> dict[str, Any]:
    """Return a step as JSON shows it."""
    is_held = step.is_held(now_ms)
    is_ended = step.trigger is not None and not is_held and step.written not in _OPEN
    return {
        "step": step.step,
        "state": str(step.state(now_ms)),
        "holder": step.agent if is_held else None,
        "token": step.token or None,
        "expires_at": rfc3339(step.expires_at) if is_held else None,
        "ended_by": step.agent if is_ended else None,
        "handoff": dict(step.document) if is_ended else None,
        "command": step.document.get("command") if is_held else None,
        "updated_at": rfc3339(step.at),
        "event_id": step.event_id or None,
    }


_OPEN = ("pending", "in_progress")


def step_cells(step: Step, now_ms: int) -> list[str]:
    """Return the cells of a step in a table."""
    who = f"{step.agent} until {clock_time(step.expires_at)}" if step.is_held(now_ms) else ""
    if step.written not in _OPEN:
        who = f"by {step.agent}"
    to = step.document.get("next_agent")
    said = [f"to {to}" if to else "", str(step.document.get("note") or "")]
    return [step.step, str(step.state(now_ms)), who, ": ".join(filter(None, said))]


def message_view(shown: "Shown") -> dict[str, Any]:
    """Return a message as JSON shows it."""
    message = shown.message
    return {
        "id": message.message_id,
        "from": message.sender,
        "to": message.recipient,
        "step": message.step or None,
        "text": message.text,
        "at": rfc3339(message.at),
        "new": shown.is_new,
    }


def print_message(shown: "Shown") -> None:
    """Print a message for people, its text as it is but for what a terminal would obey."""
    message = shown.message
    about = f" [{message.step}]" if message.step else ""
    everybody = " to all" if message.recipient.startswith("_") else ""
    mark = "*" if shown.is_new else " "
    print(f"{mark} {clock_time(message.at)} {one_line(message.sender)}{everybody}{about}:")
    for line in plain_text(message.text).splitlines():
        print(f"    {line}")
    sys.stdout.flush()


def value_view(value: "Value") -> dict[str, Any]:
    """Return a value as JSON shows it."""
    return {
        "key": value.key,
        "value": value.value,
        "format": value.format,
        "revision": value.revision,
        "agent": value.agent,
        "at": rfc3339(value.at),
        "event_id": value.event_id,
    }


def artifact_view(artifact: "Artifact") -> dict[str, Any]:
    """Return a version of an artifact as JSON shows it."""
    return {
        "name": artifact.name,
        "version": artifact.version,
        "digest": artifact.digest,
        "size_bytes": artifact.size_bytes,
        "step": artifact.step or None,
        "agent": artifact.agent,
        "at": rfc3339(artifact.at),
        "event_id": artifact.event_id,
    }


def agent_view(presence: "Presence", held: Sequence[str], now: datetime) -> dict[str, Any]:
    """Return an agent as JSON shows it."""
    return {
        "agent": presence.agent,
        "alive": presence.is_alive(now),
        "last_seen": rfc3339(presence.at),
        "doing": presence.doing or None,
        "steps": list(held),
        "host": presence.host or None,
        "pid": presence.pid or None,
    }


def agent_cells(view: Mapping[str, Any]) -> list[str]:
    """Return the cells of an agent in a table."""
    holds = f"holds {', '.join(view['steps'])}" if view["steps"] else ""
    doing = f"{view['doing'] or ''}"
    seen = str(view["last_seen"])[11:19] + "Z"
    return [view["agent"], "alive" if view["alive"] else "away", seen, holds, doing]
