"""How much happened when in a run."""

from cortex.cli.times import format_time
from mission_control.server.archive import Archive
from mission_control.server.models import Bucket, Density
from mission_control.server.moments import asked_time
from mission_control.server.runs import unknown_run

_NOTHING = Bucket(decisions=0, changes=0, errors=0, events=0)


def run_density(archive: Archive, run_id: str, parts: int, start: str, end: str) -> Density:
    """Return what happened in each of `parts` parts of a run, or of a stretch of it.

    Raises:
        BadQuestionError: one of the times is none.
        NotRecordedError: there is no such run.
        HistoryError: history cannot be asked.
    """
    found = archive.rows("run_extent", run=run_id)
    if not found:
        raise unknown_run(run_id)
    start_ns = asked_time("from", start, found[0]["start_ns"])
    end_ns = max(start_ns, asked_time("to", end, found[0]["end_ns"]))
    rows = archive.rows(
        "density",
        run=run_id,
        start_ns=start_ns,
        end_ns=end_ns,
        width_ns=width_of(start_ns, end_ns, parts),
        last=parts - 1,
    )
    counted = {row.pop("part"): Bucket(**row) for row in rows}
    buckets = [counted.get(part, _NOTHING) for part in range(parts)]
    return Density.model_validate(
        {"from": format_time(start_ns), "to": format_time(end_ns), "buckets": buckets}
    )


def width_of(start_ns: int, end_ns: int, parts: int) -> int:
    """Return the length of one part, in nanoseconds: never 0, and all parts hold the end."""
    return max(1, -(-(end_ns - start_ns + 1) // parts))
