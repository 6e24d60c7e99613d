"""What the commands of time travel share: fresh history opened as the past, rows as views."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from cortex.cli import output
from cortex.cli.event_view import view_of_row
from cortex.cli.fresh import until_fresh
from cortex.cli.kept_content import KeptContent
from cortex.cli.places import open_reader
from cortex.cli.session import Session
from cortex.cli.times import format_time
from cortex.engine.content_source import ContentSource
from cortex.engine.past import Past
from cortex.engine.recovery import Break, Resource, ResourceState
from infrastructure.history.client import AsyncHistory
from nervous_system.changes import resource_name

SHOWN_DIGITS = 12
"""Of digests, in text for people."""

BYTES_COLUMNS = frozenset({"resource_bytes", "line_bytes"})
"""Columns of payloads that need not be UTF-8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The past and its contents."""

    past: Past
    contents: ContentSource


@asynccontextmanager
async def open_past(session: Session, timeout: float, *, no_wait: bool) -> AsyncIterator[Opened]:
    """Wait until history is fresh, then open it.

    Raises:
        CommandFailedError: history is still behind after `timeout` seconds.
        HistoryUnavailableError: history cannot be asked.
    """
    if not no_wait:
        await until_fresh(session, timeout)
    async with AsyncExitStack() as stack:
        history = stack.enter_context(open_reader(session))
        contents = KeptContent(session, history, stack)
        yield Opened(past=Past(AsyncHistory(history), contents), contents=contents)


def named_resource(text: str, target_type: str) -> Resource:
    """Return the resource that an argument names; files by their plain path."""
    if target_type != "FILE_SYSTEM":
        return Resource(target_type, text.encode("utf-8", "surrogateescape"))
    name = resource_name(text)
    return Resource(target_type, name.raw or name.readable.encode())


def event_view(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event of the past as commands show events."""
    view = view_of_row({**event, "event_time": format_time(int(event["time_ns"]))})
    for name in BYTES_COLUMNS & view.keys():
        view[name] = output.format_bytes(view[name])
    return view


def state_view(resource: Resource, found: ResourceState) -> dict[str, Any]:
    """Return what a resource is, as JSON shows it."""
    return {
        "target_type": resource.target_type,
        "resource": resource.readable,
        **(
            {}
            if _is_utf8(resource.name)
            else {"resource_bytes": output.format_bytes(resource.name)}
        ),
        "digest": found.digest,
        "mode": found.mode,
        "size_bytes": found.size_bytes,
        "is_restorable": found.is_restorable,
        "event_id": found.event_id or None,
        "stream_seq": found.sequence or None,
        "workspace_id": found.workspace_id,
    }


def break_view(found: Break) -> dict[str, Any]:
    """Return a break of a chain, as JSON shows it."""
    change = found.change
    return {
        "kind": "chain_break",
        "target_type": change.resource.target_type,
        "resource": change.resource.readable,
        "workspace_id": change.workspace_id,
        "expected_digest": found.expected,
        "found_digest": found.found,
        "event_id": change.event_id,
        "stream_seq": change.sequence,
    }


def break_line(found: Break) -> str:
    """Return a line for people on a change that was not recorded."""
    change = found.change
    return output.format_cell(
        f"!! {change.resource.readable} changed outside the swarm before #{change.sequence}: "
        f"recorded {short(found.expected)}, found {short(found.found)}"
    )


def note_breaks(found: list[Break], limit: int = 20) -> None:
    """Say on stderr where chains are broken."""
    for one in found[:limit]:
        output.note(break_line(one))
    if len(found) > limit:
        output.note(f"!! and {len(found) - limit} more changes outside the swarm (--json has all)")


def short(digest: str) -> str:
    """Return the beginning of a digest; `absent` for none."""
    return digest[:SHOWN_DIGITS] or "absent"


def mode_text(mode: int) -> str:
    """Return permission bits as `ls` does in octal; `-` where they are unknown."""
    return f"{mode:04o}" if mode else "-"


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
