"""One trace: spans and the events in them."""

from typing import Annotated

from fastapi import APIRouter, Path

from mission_control.server import traces
from mission_control.server.desk import AtDesk
from mission_control.server.models import Trace

router = APIRouter(tags=["traces"])


@router.get("/traces/{trace_id}")
def one_trace(
    desk: AtDesk,
    trace_id: Annotated[str, Path(pattern="^[0-9a-fA-F]{32}$", description="32 hex digits.")],
) -> Trace:
    """Return the spans of a trace and the events that happened in it."""
    return traces.one_trace(desk.archive, trace_id.lower(), desk.config.jaeger_url)
