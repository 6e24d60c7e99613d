"""Resources: what there is at a moment, how one became what it is, and contents."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from mission_control.server import contents, resources
from mission_control.server.asking import At, RunId, TargetType, WorkspaceId
from mission_control.server.desk import AtDesk
from mission_control.server.models import ResourceHistory, ResourceList

router = APIRouter(tags=["resources"])
FILE_SYSTEM = "FILE_SYSTEM"
MAX_RESOURCES = 10_000
MAX_CHANGES = 1_000


@router.get("/resources")
async def list_resources(
    desk: AtDesk,
    run_id: RunId = "",
    workspace_id: WorkspaceId = "",
    at: At = "",
    limit: Annotated[int, Query(ge=1, le=MAX_RESOURCES)] = MAX_RESOURCES,
) -> ResourceList:
    """List what the workspace of a run held at a moment; without `at`, what it holds now."""
    return await resources.resource_list(
        desk.archive, run_id=run_id, workspace_id=workspace_id, at=at, limit=limit
    )


@router.get("/resources/history")
async def resource_history(
    desk: AtDesk,
    name: Annotated[str, Query(min_length=1, max_length=10_000)],
    workspace_id: WorkspaceId = "",
    target_type: TargetType = FILE_SYSTEM,
    limit: Annotated[int, Query(ge=1, le=MAX_CHANGES)] = 200,
) -> ResourceHistory:
    """List the newest changes of a resource, in order, in one workspace or all."""
    return await resources.resource_history(
        desk.archive, name=name, workspace_id=workspace_id, target_type=target_type, limit=limit
    )


@router.get(
    "/content/{digest}",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {}, "application/octet-stream": {}}},
        304: {"description": "The caller has it."},
    },
)
def content(
    desk: AtDesk,
    request: Request,
    digest: Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="Hex SHA-256.")],
    max_bytes: Annotated[
        int, Query(ge=1, le=contents.MAX_BYTES, description="Only the beginning of what is longer.")
    ] = contents.MAX_BYTES,
) -> Response:
    """Return a content by its digest, to be saved or shown as text; never run."""
    return contents.content(desk.archive, request, digest, max_bytes)
