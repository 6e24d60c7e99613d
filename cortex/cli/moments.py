"""Moments on the command line: EVENT or TIME, and the workspace that is meant.

EVENT is an event id, a unique prefix of one, or `#sequence` (`stream#sequence` for another stream
than that of events). TIME is RFC 3339 or an age such as `10m`; it means the last event at or before
it, of the workspace or run that an option names.
"""

import re
import time
from dataclasses import dataclass
from typing import Annotated

import typer

from cortex.cli.times import parse_time
from cortex.engine.past import Moment, Past, Place
from cortex.errors import MomentError, NotRecordedError
from nervous_system.comms.streams import EVENTS_STREAM
from nervous_system.events import is_event_id

At = Annotated[
    str,
    typer.Option(
        "--at",
        metavar="EVENT|TIME",
        help="An event id, a unique prefix, #sequence, or a time: RFC 3339, or 10m, 2h.",
    ),
]
Run = Annotated[str, typer.Option("--run", metavar="RUN", help="Whose moment a TIME is.")]
Workspace = Annotated[
    str, typer.Option("--workspace", metavar="ID", help="The workspace to look at.")
]

MIN_PREFIX = 6
"""Shorter texts are no prefixes: `10d` is an age."""
_SEQUENCE = re.compile(r"(?:(?P<stream>[\w-]+))?#(?P<sequence>\d{1,19})")
_PREFIX = re.compile(r"[0-9a-f][0-9a-f-]{5,35}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A moment and where to look."""

    moment: Moment
    place: Place


async def choose(past: Past, text: str, *, run: str = "", workspace: str = "") -> Chosen:
    """Return the moment that `text` names, in the event's own workspace or the one given.

    Raises:
        MomentError: it names none, or more than one.
        NotRecordedError: history does not hold it.
    """
    event = await named_event(past, text)
    if event is not None:
        return Chosen(moment=event, place=await past.place_of(event, workspace or None))
    time_ns = _time(text)
    if not run and not workspace:
        raise MomentError(given=text, reason="a time needs --run or --workspace")
    if not workspace:
        workspace = await workspace_of_run(past, run)
    moment = await past.last_event(time_ns=time_ns, workspace_id=workspace)
    return Chosen(moment=moment, place=await past.place_of(moment, workspace))


def check_given(at: str) -> None:
    """Refuse a command line without a moment.

    Raises:
        typer.BadParameter: none is given.
    """
    if not at.strip():
        raise typer.BadParameter("an event or a time is needed", param_hint="--at")


async def newest(past: Past, workspace: str) -> Chosen:
    """Return a workspace as it is now.

    Raises:
        NotRecordedError: history knows nothing of it.
    """
    moment = await past.last_event(time_ns=time.time_ns(), workspace_id=workspace)
    return Chosen(moment=moment, place=await past.place_of(moment, workspace))


async def workspace_of_run(past: Past, run: str) -> str:
    """Return the workspace of a run: the one of its name, or its only one.

    Raises:
        NotRecordedError: it has none.
        MomentError: it has several.
    """
    found = await past.workspaces_of_run(run)
    if run in found or not found:
        if not found and not await past.is_run(run):
            raise NotRecordedError(subject=f"run {run}", reason="see `swarm runs`")
        return run
    if len(found) > 1:
        raise MomentError(
            given=run, reason=f"has several workspaces, name one by --workspace: {', '.join(found)}"
        )
    return found[0]


async def named_event(past: Past, text: str) -> Moment | None:
    """Return the event that `text` names; None where it may be a time.

    Raises:
        MomentError: it begins several event ids.
        NotRecordedError: history does not hold it.
    """
    stripped = text.strip()
    if matched := _SEQUENCE.fullmatch(stripped):
        return await past.event_by_place(
            matched["stream"] or EVENTS_STREAM, int(matched["sequence"])
        )
    if is_event_id(stripped):
        return await past.event_by_id(stripped.lower())
    if _PREFIX.fullmatch(stripped.lower()) and not _is_date(stripped):
        return await past.event_by_prefix(stripped.lower())
    return None


def _is_date(text: str) -> bool:
    return text[4:5] == "-"


def _time(text: str) -> int:
    try:
        return parse_time(text, time.time_ns())
    except ValueError as error:
        raise MomentError(
            given=text,
            reason="no event id, no prefix of one with 6 characters or more, no #sequence, no time "
            "such as 2026-01-31T09:30:00Z or 10m",
        ) from error
