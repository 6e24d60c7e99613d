"""Runs, from the views of history to what the API answers."""

import json
from collections.abc import Mapping
from typing import Any

from cortex.errors import NotRecordedError
from mission_control.server.archive import Archive
from mission_control.server.cursors import format_after, parse_after
from mission_control.server.models import ModelUse, Run, RunDetail, RunPage, RunWorkspace, Task
from mission_control.server.moments import shown_or_none, shown_time

ENDED = frozenset({"DONE", "REFUSED", "FAILED", "DEAD", "CANCELLED"})
"""States of tasks that nothing follows."""
UNCOUNTED = {"errors": 0, "tokens_in": 0, "tokens_out": 0, "harness": "", "parent": ""}
"""Of a run whose events are all that history does not count."""
_COLUMNS = {
    "run_id": "run_id",
    "state": "run_state",
    "task": "task",
    "model": "model",
    "branch": "branch",
    "events": "events",
    "decisions": "decisions",
    "changes": "state_changes",
    "errors": "errors",
    "agents": "agents",
    "cost_microusd": "cost_microusd",
    "input_tokens": "tokens_in",
    "output_tokens": "tokens_out",
}


def run_page(archive: Archive, *, cursor: str, limit: int, state: str) -> RunPage:
    """Return a page of runs, those that began last first.

    Raises:
        BadQuestionError: the cursor is none of ours.
        HistoryError: history cannot be asked.
    """
    states = [name.strip().upper() for name in state.split(",") if name.strip()]
    rows = _listed(archive, states=states, cursor=cursor, limit=limit + 1)
    last = rows[limit - 1] if len(rows) > limit else None
    return RunPage(
        items=[Run(**_facts(row)) for row in rows[:limit]],
        next_cursor=None if last is None else format_after(last["began_ns"], last["run_id"]),
    )


def run_detail(archive: Archive, run_id: str) -> RunDetail:
    """Return one run in full.

    Raises:
        NotRecordedError: there is no such run.
        HistoryError: history cannot be asked.
    """
    rows = _listed(archive, run_id=run_id) if run_id else []
    if not rows:
        raise unknown_run(run_id)
    [documents] = archive.rows("run_documents", run=run_id)
    created, newest = documents["created_as"], documents["newest"]
    return RunDetail(
        **_facts(rows[0]),
        tasks=[_task(row) for row in archive.rows("run_tasks", run=run_id)],
        document=parsed(created) or {},
        outcome=parsed(newest) if newest != created else None,
        models=[_model_use(row) for row in archive.rows("run_models", run=run_id)],
        workspaces=[_workspace(row) for row in archive.rows("workspaces_of_run", run=run_id)],
    )


def unknown_run(run_id: str) -> NotRecordedError:
    """Return the error that says so."""
    return NotRecordedError(subject=f"run {run_id[:100]}", reason="no event names it")


def parsed(document: str) -> dict[str, Any] | None:
    """Return the object that a document is; None for none. Anybody can write documents."""
    try:
        found = json.loads(document)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _listed(
    archive: Archive,
    *,
    states: list[str] | None = None,
    run_id: str = "",
    cursor: str = "",
    limit: int = 1,
) -> list[dict[str, Any]]:
    began_ns, after = parse_after(cursor) if cursor else (0, "")
    rows = archive.rows(
        "runs",
        states=states or [],
        run=run_id,
        is_first=not cursor,
        began_ns=began_ns,
        after=after,
        limit=limit,
    )
    if not rows:
        return []
    counts = archive.rows("run_counts", runs=[row["run_id"] for row in rows])
    counted = {row["run_id"]: row for row in counts}
    return [row | counted.get(row["run_id"], UNCOUNTED) for row in rows]


def _facts(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: row[column] for name, column in _COLUMNS.items()},
        "parent_run_id": row["parent"] or None,
        "harness": row["harness"] or None,
        "started_at": shown_time(row["first_seen"]),
        "ended_at": shown_or_none(row["finished_at"]),
        "last_event_at": shown_time(row["last_seen"]),
    }


def _task(row: Mapping[str, Any]) -> Task:
    document = parsed(row["task_document"]) or {}
    needed = document.get("depends_on")
    return Task(
        task_id=row["task_id"],
        title=row["title"],
        role=row["role"],
        state=row["task_state"],
        worker=row["task_worker"],
        attempt=row["task_attempt"],
        depends_on=[str(one) for one in needed] if isinstance(needed, list) else [],
        reason=row["task_reason"],
        started_at=shown_or_none(row["claimed_at"]),
        ended_at=shown_time(row["updated_at"]) if row["task_state"] in ENDED else None,
        event_id=row["id"],
        document=document,
        result=parsed(row["task_result"]),
        unresolved=texts_of(parsed(row["handed_in"]), "unresolved"),
    )


def texts_of(document: Mapping[str, Any] | None, name: str) -> list[str]:
    """Return the texts that a document lists under a name; none where it lists no texts."""
    listed = (document or {}).get(name)
    return [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []


def _workspace(row: Mapping[str, Any]) -> RunWorkspace:
    return RunWorkspace(
        workspace_id=row["workspace"],
        agent_id=row["agent"],
        task_id=row["task"],
        changes=row["changes"],
    )


def _model_use(row: Mapping[str, Any]) -> ModelUse:
    return ModelUse(
        model=row["model_name"],
        calls=row["calls"],
        input_tokens=row["tokens_in"],
        output_tokens=row["tokens_out"],
        cost_microusd=row["cost"],
    )
