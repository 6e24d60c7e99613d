"""`swarm show`: everything that a workspace held at a moment, or one resource's content."""

import asyncio
import sys
from typing import Annotated, Any

import typer

from cortex.cli import moments, options, output
from cortex.cli.errors import CommandFailedError
from cortex.cli.fresh import FRESH_SECONDS
from cortex.cli.moments import Chosen, choose
from cortex.cli.session import Session
from cortex.cli.time_travel import (
    Opened,
    break_view,
    mode_text,
    named_resource,
    note_breaks,
    open_past,
    short,
    state_view,
)
from cortex.engine.recovery import (
    FILE_SYSTEM,
    Break,
    Resource,
    ResourceState,
    State,
    present,
)
from cortex.errors import NotRecordedError
from nervous_system.errors import ContentMissingError

TargetType = Annotated[
    str, typer.Option("--type", metavar="TYPE", help="FILE_SYSTEM, ENV_VAR, DB_SCHEMA, ...")
]


def show(
    ctx: typer.Context,
    resource: Annotated[
        str | None, typer.Argument(help="A file of the workspace; its content is printed.")
    ] = None,
    at: moments.At = "",
    run: moments.Run = "",
    workspace: moments.Workspace = "",
    target_type: TargetType = FILE_SYSTEM,
    json: options.Json = False,
    timeout: options.Timeout = FRESH_SECONDS,
    no_wait: options.NoWait = False,
) -> None:
    """Show what a workspace held at an event or time: a list, or the content of one RESOURCE.

    Changes that nothing recorded are told on stderr, and in the JSON of the list.
    """
    moments.check_given(at)
    asyncio.run(
        _show(
            Session.of(ctx),
            (at, run, workspace),
            (resource, target_type),
            timeout,
            is_json=json,
            no_wait=no_wait,
        )
    )


async def _show(
    session: Session,
    asked: tuple[str, str, str],
    named: tuple[str | None, str],
    timeout: float,
    *,
    is_json: bool,
    no_wait: bool,
) -> None:
    text, run, workspace = asked
    async with open_past(session, timeout, no_wait=no_wait) as opened:
        chosen = await choose(opened.past, text, run=run, workspace=workspace)
        if named[0] is None:
            await _list(opened, chosen, is_json=is_json)
        else:
            await _content(opened, chosen, named[0], named[1], is_json=is_json)


async def _list(opened: Opened, chosen: Chosen, *, is_json: bool) -> None:
    state, found = await _held(opened, chosen)
    if is_json:
        output.print_json(_view(chosen, state, found))
        return
    rows = [
        {
            "mode": mode_text(what.mode),
            "size": what.size_bytes,
            "digest": short(what.digest),
            "changed": f"#{what.sequence}" if what.sequence else "start",
            "resource": one.readable if one.is_file else f"{one.target_type} {one.readable}",
        }
        for one, what in state.items()
    ]
    output.print_table(rows, ("mode", "size", "digest", "changed", "resource"))
    note_breaks(found)


async def state_answer(opened: Opened, chosen: Chosen) -> dict[str, Any]:
    """Return everything that a workspace held at a moment, as JSON shows it.

    Raises:
        NotRecordedError: what it started from is not in history.
    """
    return _view(chosen, *await _held(opened, chosen))


async def content_answer(opened: Opened, chosen: Chosen, resource: Resource) -> dict[str, Any]:
    """Return one resource with its content, as JSON shows it.

    Raises:
        NotRecordedError: it did not exist then.
        CommandFailedError: its content was altered before it was kept.
        ContentMissingError: its content is not kept.
    """
    found = await _present(opened, chosen, resource)
    content = await opened.contents.get(found.digest)
    return {**state_view(resource, found), "content": content}


async def _held(opened: Opened, chosen: Chosen) -> tuple[State, list[Break]]:
    layers = await opened.past.layers(chosen.place)
    state = present(await opened.past.state_of(layers))
    return state, await opened.past.breaks(layers)


def _view(chosen: Chosen, state: State, found: list[Break]) -> dict[str, Any]:
    return {
        "event_id": chosen.moment.event_id,
        "stream": chosen.place.stream,
        "stream_seq": chosen.place.sequence,
        "workspace_id": chosen.place.workspace_id,
        "resources": [state_view(one, what) for one, what in state.items()],
        "breaks": [break_view(one) for one in found],
    }


async def _present(opened: Opened, chosen: Chosen, resource: Resource) -> ResourceState:
    name = resource.readable
    found = await opened.past.resource_at(chosen.place, resource)
    if not found.is_present:
        raise NotRecordedError(
            subject=f"{name} in workspace {chosen.place.workspace_id}",
            reason=f"it did not exist at {chosen.moment.event_id}",
        )
    if not found.is_restorable:
        raise CommandFailedError(f"{name}: its content was not kept as it was")
    return found


async def _content(
    opened: Opened, chosen: Chosen, name: str, target_type: str, *, is_json: bool
) -> None:
    resource = named_resource(name, target_type)
    if is_json:
        output.print_json(await content_answer(opened, chosen, resource))
        return
    found = await _present(opened, chosen, resource)
    sys.stdout.flush()
    try:
        async for piece in opened.contents.pieces(found.digest):
            sys.stdout.buffer.write(piece)
    except ContentMissingError as error:
        raise CommandFailedError(f"{name}: its content {found.digest} is not kept") from error
    sys.stdout.buffer.flush()
