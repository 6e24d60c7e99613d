"""Time travel: what a workspace held, what differs, and why a line is as it is."""

from typing import Annotated

from fastapi import APIRouter, Query

from mission_control.server import past
from mission_control.server.asking import At, ResourceName, RunId, TargetType, WorkspaceId
from mission_control.server.desk import AtDesk
from mission_control.server.models import Difference, ResourceContent, State, Why

router = APIRouter(tags=["past"])
FILE_SYSTEM = "FILE_SYSTEM"
HIGHEST_LINE = 2**31 - 1
Event = Annotated[str, Query(min_length=1, max_length=500, description="EVENT or TIME.")]


@router.get("/state")
async def state(
    desk: AtDesk,
    at: Event,
    run_id: RunId = "",
    workspace_id: WorkspaceId = "",
    resource: ResourceName = "",
    target_type: TargetType = FILE_SYSTEM,
) -> State | ResourceContent:
    """Return everything that a workspace held at a moment, or one resource with its content."""
    asked = past.Asked(at=at, run_id=run_id, workspace_id=workspace_id)
    if resource:
        return await past.resource_content(desk.archive, asked, resource, target_type)
    return await past.state(desk.archive, asked)


@router.get("/diff")
async def diff(
    desk: AtDesk,
    start: Annotated[Event, Query(alias="from")],
    end: Annotated[Event, Query(alias="to")],
    run_id: RunId = "",
    workspace_id: WorkspaceId = "",
    resource: ResourceName = "",
) -> list[Difference]:
    """Return what differs between two moments, each seen in its own workspace."""
    asked = [past.Asked(at=at, run_id=run_id, workspace_id=workspace_id) for at in (start, end)]
    return await past.differences(desk.archive, asked, resource or None)


@router.get("/why")
async def why(
    desk: AtDesk,
    resource: Annotated[str, Query(min_length=1, max_length=10_000)],
    line: Annotated[int | None, Query(ge=1, le=HIGHEST_LINE, description="From 1.")] = None,
    run_id: RunId = "",
    workspace_id: WorkspaceId = "",
    at: At = "",
    target_type: TargetType = FILE_SYSTEM,
) -> Why:
    """Return the change that wrote a line, the decision that led to it, and what led to that."""
    asked = past.Asked(at=at, run_id=run_id, workspace_id=workspace_id)
    return await past.why(desk.archive, asked, resource, target_type, line)
