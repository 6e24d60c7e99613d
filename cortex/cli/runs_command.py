"""`swarm runs`: every run that history knows."""

from collections.abc import Mapping
from typing import Any

import typer

from cortex.cli import options, output
from cortex.cli.fresh import FRESH_SECONDS, wait_until_fresh
from cortex.cli.places import open_reader
from cortex.cli.session import Session
from cortex.engine.query_text import query_text

COLUMNS = ("run_id", "first_seen", "last_seen", "agents", "events", "state_changes", "failures")
TASK_COLUMNS = ("run_state", "task")
SHOWN_TASK = 60


def runs(
    ctx: typer.Context,
    json: options.Json = False,
    timeout: options.Timeout = FRESH_SECONDS,
    no_wait: options.NoWait = False,
) -> None:
    """List the runs, the oldest first."""
    session = Session.of(ctx)
    wait_until_fresh(session, timeout, no_wait=no_wait)
    with open_reader(session) as history:
        found = history.query(query_text("runs"))
    if json:
        output.print_json_array(found)
        return
    columns = [*COLUMNS, *(name for name in TASK_COLUMNS if any(name in row for row in found))]
    output.print_table([_shown(row) for row in found], columns)


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    task = str(row.get("task", ""))
    return {**row, "task": task if len(task) <= SHOWN_TASK else f"{task[:SHOWN_TASK]}..."}
