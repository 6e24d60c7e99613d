"""`swarm timeline`: what happened to a resource or in a run, in order, unrecorded changes shown."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from cortex.cli import moments, options, output
from cortex.cli.event_view import text_line
from cortex.cli.fresh import FRESH_SECONDS
from cortex.cli.session import Session
from cortex.cli.time_travel import (
    Opened,
    break_line,
    break_view,
    event_view,
    named_resource,
    open_past,
)
from cortex.engine.past import Place
from cortex.engine.recorded_rows import change_of_event
from cortex.engine.recovery import FILE_SYSTEM, Break, Change, Resource, State
from cortex.engine.timeline import Entry, breaks_by_workspace, entries
from cortex.errors import NotRecordedError

DEFAULT_LIMIT = 1_000
NO_LIMIT = 2**62
STATE_CHANGE = "state_change"


def timeline(
    ctx: typer.Context,
    subject: Annotated[
        str, typer.Argument(metavar="RESOURCE|RUN", help="A run id, or a file of a workspace.")
    ],
    workspace: moments.Workspace = "",
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=0, help="The newest so many; 0 lists all.")
    ] = DEFAULT_LIMIT,
    everything: Annotated[
        bool, typer.Option("--all", help="Heartbeats and lines of transcripts, too.")
    ] = False,
    json: options.Json = False,
    timeout: options.Timeout = FRESH_SECONDS,
    no_wait: options.NoWait = False,
) -> None:
    """Show what happened in a run or to a resource, in order.

    Where a change does not start from the state before it, a line says so.
    """
    asyncio.run(
        _timeline(
            Session.of(ctx),
            (subject, workspace),
            (limit or NO_LIMIT, everything),
            timeout,
            is_json=json,
            no_wait=no_wait,
        )
    )


async def _timeline(
    session: Session,
    asked: tuple[str, str],
    extent: tuple[int, bool],
    timeout: float,
    *,
    is_json: bool,
    no_wait: bool,
) -> None:
    subject, workspace = asked
    limit, everything = extent
    async with open_past(session, timeout, no_wait=no_wait) as opened:
        rows, resource = await _rows(opened, subject, workspace, limit, everything=everything)
        found = await breaks_of(opened, rows, resource)
    if len(rows) == limit:
        output.note(f"the newest {limit} events; --limit 0 shows all")
    listed = entries(rows, found)
    if is_json:
        output.print_json_array(_view(entry) for entry in listed)
        return
    for entry in listed:
        print(_line(entry))


async def _rows(
    opened: Opened, subject: str, workspace: str, limit: int, *, everything: bool
) -> tuple[Sequence[Mapping[str, Any]], Resource | None]:
    """Return the events in order, and the resource if the subject is one.

    Raises:
        NotRecordedError: there are none.
    """
    if await opened.past.is_run(subject):
        return await opened.past.run_events(subject, limit, everything=everything), None
    resource = named_resource(subject, FILE_SYSTEM)
    rows = await opened.past.resource_events(resource, limit, workspace)
    if not rows:
        raise NotRecordedError(
            subject=subject, reason="no run has this id, and no resource of this name was changed"
        )
    return rows, resource


async def breaks_of(
    opened: Opened, rows: Sequence[Mapping[str, Any]], resource: Resource | None
) -> list[Break]:
    """Return the breaks in the chains of what was changed, from the first change listed on.

    Raises:
        NotRecordedError: what a workspace lies over is not in history.
    """
    changes = [
        (str(row["stream"]), change_of_event(row)) for row in rows if row["kind"] == STATE_CHANGE
    ]
    firsts: dict[str, tuple[str, Change]] = {}
    for stream, change in changes:
        firsts.setdefault(change.workspace_id, (stream, change))
    starts: dict[str, State] = {}
    complete: list[str] = []
    for workspace_id, (stream, change) in firsts.items():
        place = Place(workspace_id=workspace_id, stream=stream, sequence=change.sequence - 1)
        layers = await opened.past.layers(place)
        starts[workspace_id] = await opened.past.state_of(layers)
        if any(layer.manifest_digest for layer in layers):
            complete.append(workspace_id)
    found = breaks_by_workspace((change for _, change in changes), starts, complete)
    # Of what took a resource's content under another name, only that first step is listed.
    return [
        one
        for one in found
        if resource is None
        or one.change.resource.readable == resource.readable
        or one.change.renamed_from == resource.readable
    ]


def _view(entry: Entry) -> dict[str, Any]:
    if entry.found is not None:
        return break_view(entry.found)
    return event_view(entry.row or {})


def _line(entry: Entry) -> str:
    if entry.found is not None:
        return break_line(entry.found)
    view = event_view(entry.row or {})
    origin = view["attributes"].get("origin")
    renamed = f"  renamed from {view['renamed_from']}" if view.get("renamed_from") else ""
    return text_line(view) + renamed + (f"  ({origin})" if origin else "")
