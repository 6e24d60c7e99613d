"""Events: by filters, and one in full."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from mission_control.server import events
from mission_control.server.asking import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    ResourceName,
    RunId,
    Time,
    WorkspaceId,
)
from mission_control.server.desk import AtDesk
from mission_control.server.models import EventDetail, EventPage

router = APIRouter(tags=["events"])
Several = Annotated[str, Query(max_length=2_000, description="One or more, separated by commas.")]


@router.get("/events")
def list_events(
    desk: AtDesk,
    run_id: RunId = "",
    agent_id: Several = "",
    role: Several = "",
    kind: Several = "",
    trace_id: Annotated[str, Query(max_length=32)] = "",
    workspace_id: WorkspaceId = "",
    resource: ResourceName = "",
    text: Annotated[
        str, Query(max_length=1_000, description="Part of its texts, whatever the case.")
    ] = "",
    start: Annotated[Time, Query(alias="from")] = "",
    end: Annotated[Time, Query(alias="to")] = "",
    before: Annotated[
        list[str] | None,
        Query(
            max_length=10,
            description="`STREAM:SEQ`, once for each stream: only what is before these places, "
            "and of these streams.",
        ),
    ] = None,
    cursor: Cursor = "",
    limit: Limit = DEFAULT_LIMIT,
    order: Literal["asc", "desc"] = "desc",
) -> EventPage:
    """List events, the newest first unless asked otherwise; repeats of a number are left out.

    Pages follow each other by place in the streams: what arrives meanwhile moves nothing.
    """
    asked = events.Asked(
        run_id=run_id,
        agents=events.several(agent_id),
        roles=tuple(role.upper() for role in events.several(role)),
        kinds=events.several(kind),
        trace_id=trace_id.lower(),
        workspace_id=workspace_id,
        resource=resource,
        text=text,
        start=start,
        end=end,
        before=tuple(before or ()),
    )
    return events.event_page(desk.archive, asked, cursor=cursor, limit=limit, order=order)


@router.get("/events/{event_id}")
async def one_event(
    desk: AtDesk,
    event_id: Annotated[
        str,
        Path(max_length=200, description="An event id, a unique prefix, or `STREAM#SEQUENCE`."),
    ],
) -> EventDetail:
    """Return an event with what led to it, what followed from it and its place in the ledger."""
    return await events.event_detail(desk.archive, event_id)
