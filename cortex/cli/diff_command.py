"""`swarm diff`: what differs between a workspace, or two, at two moments."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from cortex.cli import moments, options, output
from cortex.cli.fresh import FRESH_SECONDS
from cortex.cli.moments import choose
from cortex.cli.session import Session
from cortex.cli.time_travel import Opened, mode_text, named_resource, open_past, short
from cortex.engine.past import Place
from cortex.engine.recovery import ABSENT, FILE_SYSTEM, Resource, ResourceState, State, present
from nervous_system.changes import unified_diff
from nervous_system.errors import ContentMissingError

MAX_COMPARED_BYTES = 4 * 1024 * 1024
"""Of one side; what is larger is told to differ, without its lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One resource that is not the same."""

    resource: Resource
    before: ResourceState
    after: ResourceState

    @property
    def kind(self) -> str:
        """`added`, `deleted`, `modified` or `mode`."""
        if not self.before.is_present:
            return "added"
        if not self.after.is_present:
            return "deleted"
        return "modified" if self.before.digest != self.after.digest else "mode"


def diff(
    ctx: typer.Context,
    first: Annotated[str, typer.Argument(metavar="EVENT1", help="An event, or a time.")],
    second: Annotated[str, typer.Argument(metavar="EVENT2", help="An event, or a time.")],
    resource: Annotated[str | None, typer.Argument(help="Only this file.")] = None,
    run: moments.Run = "",
    workspace: moments.Workspace = "",
    json: options.Json = False,
    timeout: options.Timeout = FRESH_SECONDS,
    no_wait: options.NoWait = False,
) -> None:
    """Show what changed between two moments, as a unified diff.

    Each event is seen in its own workspace, so that a fork can be compared with its parent.
    """
    asyncio.run(
        _diff(
            Session.of(ctx),
            ((first, second), run, workspace),
            resource,
            timeout,
            is_json=json,
            no_wait=no_wait,
        )
    )


async def _diff(
    session: Session,
    asked: tuple[tuple[str, str], str, str],
    name: str | None,
    timeout: float,
    *,
    is_json: bool,
    no_wait: bool,
) -> None:
    texts, run, workspace = asked
    async with open_past(session, timeout, no_wait=no_wait) as opened:
        places = [
            (await choose(opened.past, text, run=run, workspace=workspace)).place for text in texts
        ]
        if is_json:
            output.print_json_array(await differences_answer(opened, places, name))
            return
        for one in await _compared(opened, places, name):
            print(await _text(opened, one), end="")


async def differences_answer(
    opened: Opened, places: Sequence[Place], name: str | None
) -> list[dict[str, Any]]:
    """Return what differs between two places, in one file or in all, as JSON shows it.

    Raises:
        NotRecordedError: what a workspace lies over is not in history.
    """
    return [await _view(opened, one) for one in await _compared(opened, places, name)]


async def _compared(opened: Opened, places: Sequence[Place], name: str | None) -> list[Difference]:
    before, after = [await _state(opened, place, name) for place in places]
    return list(_differences(before, after))


async def _state(opened: Opened, place: Place, name: str | None) -> State:
    if name is None:
        return present(await opened.past.state_at(place))
    resource = named_resource(name, FILE_SYSTEM)
    return {resource: await opened.past.resource_at(place, resource)}


def _differences(before: State, after: State) -> Iterator[Difference]:
    for resource in sorted(before.keys() | after.keys()):
        old, new = before.get(resource, ABSENT), after.get(resource, ABSENT)
        is_same_mode = old.mode == new.mode or not (old.is_present and new.is_present)
        if old.digest != new.digest or not is_same_mode:
            yield Difference(resource=resource, before=old, after=new)


async def _view(opened: Opened, one: Difference) -> dict[str, Any]:
    return {
        "target_type": one.resource.target_type,
        "resource": one.resource.readable,
        "change": one.kind,
        "before": _side(one.before),
        "after": _side(one.after),
        "patch": await _patch(opened, one),
    }


def _side(found: ResourceState) -> dict[str, Any] | None:
    if not found.is_present:
        return None
    return {"digest": found.digest, "mode": found.mode, "size_bytes": found.size_bytes}


async def _text(opened: Opened, one: Difference) -> str:
    name = one.resource.readable
    modes = f"{mode_text(one.before.mode)} -> {mode_text(one.after.mode)}"
    head = f"{one.kind} {output.format_cell(name)}"
    if one.kind in {"modified", "mode"} and one.before.mode != one.after.mode:
        head += f" (mode {modes})"
    if one.kind == "mode":
        return f"{head}\n"
    patch = await _patch(opened, one)
    if patch is None:
        return (
            f"{head}: {short(one.before.digest)} -> {short(one.after.digest)}, no lines to show\n"
        )
    return f"{head}\n{patch}"


async def _patch(opened: Opened, one: Difference) -> str | None:
    """Return the unified diff; None for what is binary, large or not kept."""
    if max(one.before.size_bytes, one.after.size_bytes) > MAX_COMPARED_BYTES:
        return None
    try:
        old = await _content(opened, one.before)
        new = await _content(opened, one.after)
    except ContentMissingError:
        return None
    name = one.resource.readable
    is_empty = not old and not new
    return unified_diff(name, name, old, new) or ("" if is_empty else None)


async def _content(opened: Opened, found: ResourceState) -> bytes | None:
    return await opened.contents.get(found.digest) if found.is_present else None
