"""Runs: which there were, one in full, and its history by columns."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from mission_control.server import density, replay, runs
from mission_control.server.asking import DEFAULT_LIMIT, Cursor, Limit, Time
from mission_control.server.desk import AtDesk
from mission_control.server.models import Density, Replay, RunDetail, RunPage

router = APIRouter(tags=["runs"])
Run = Annotated[str, Path(max_length=500, description="Run id.")]
MAX_BUCKETS = 2_000


@router.get("/runs")
def list_runs(
    desk: AtDesk,
    cursor: Cursor = "",
    limit: Limit = DEFAULT_LIMIT,
    state: Annotated[
        str, Query(max_length=200, description="States, separated by commas; empty: all.")
    ] = "",
) -> RunPage:
    """List the runs, those that began last first."""
    return runs.run_page(desk.archive, cursor=cursor, limit=limit, state=state)


@router.get("/runs/{run_id}")
def one_run(desk: AtDesk, run_id: Run) -> RunDetail:
    """Return a run with its tasks, outcome and costs."""
    return runs.run_detail(desk.archive, run_id)


@router.get("/runs/{run_id}/replay", response_model=Replay)
def run_replay(
    desk: AtDesk,
    request: Request,
    run_id: Run,
    after: Annotated[
        list[str] | None,
        Query(
            max_length=10,
            description="`STREAM:SEQ`, once for each stream: only what is after these places, with "
            "dictionaries of its own.",
        ),
    ] = None,
) -> Response:
    """Return the whole history of a run by columns, for scrubbing through it."""
    return replay.run_replay(desk.archive, request, run_id, tuple(after or ()))


@router.get("/runs/{run_id}/density")
def run_density(
    desk: AtDesk,
    run_id: Run,
    buckets: Annotated[int, Query(ge=1, le=MAX_BUCKETS, description="How many parts.")] = 200,
    start: Annotated[Time, Query(alias="from")] = "",
    end: Annotated[Time, Query(alias="to")] = "",
) -> Density:
    """Return how much happened when, between two times or in the whole run."""
    return density.run_density(desk.archive, run_id, buckets, start, end)
