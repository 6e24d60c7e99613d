"""Resources: what a workspace holds at a moment, and how one of them became what it is."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from cortex.cli.moments import Chosen, choose, newest, workspace_of_run
from cortex.cli.time_travel import Opened, event_view, named_resource
from cortex.cli.timeline_command import breaks_of
from cortex.engine.recovery import Resource as Known
from cortex.engine.recovery import ResourceState, present
from cortex.errors import NotRecordedError
from mission_control.errors import BadQuestionError
from mission_control.server.archive import Archive
from mission_control.server.models import (
    Resource,
    ResourceChange,
    ResourceHistory,
    ResourceList,
)
from mission_control.server.past import opened_past

DECISION = "decision"
Counts = Mapping[Known, tuple[int, str]]
"""Changes, and the agent of the newest, by resource."""


async def resource_list(
    archive: Archive, *, run_id: str, workspace_id: str, at: str, limit: int
) -> ResourceList:
    """Return what a workspace held at a moment, or holds now, by name.

    Raises:
        BadQuestionError: neither a run, nor a workspace, nor a moment is named.
        MomentError: the moment names none, or more than one.
        NotRecordedError: history does not hold it.
    """
    opened = await opened_past(archive)
    chosen = await _chosen(archive, opened, run_id=run_id, workspace_id=workspace_id, at=at)
    held = present(await opened.past.state_at(chosen.place))
    counts = await _counts(archive, chosen)
    listed = sorted(held.items(), key=lambda item: (item[0].readable, item[0].target_type))
    return ResourceList(
        items=[_resource(name, what, counts, chosen) for name, what in listed[:limit]],
        truncated=len(listed) > limit,
        workspace_id=chosen.place.workspace_id,
        event_id=chosen.moment.event_id,
    )


async def resource_history(
    archive: Archive, *, name: str, workspace_id: str, target_type: str, limit: int
) -> ResourceHistory:
    """Return the newest changes of a resource, in order, with what each was decided by.

    Raises:
        NotRecordedError: no change of it is recorded.
    """
    opened = await opened_past(archive)
    resource = named_resource(name, target_type)
    rows = await opened.past.resource_events(resource, limit + 1, workspace_id)
    rows = [row for row in rows if row["target_type"] == target_type]
    if not rows:
        raise NotRecordedError(subject=name[:200], reason="no change of it is recorded")
    shown = rows[-limit:]
    broken = {one.change.event_id for one in await breaks_of(opened, shown, resource)}
    rationales = await _rationales(opened, shown)
    return ResourceHistory(
        items=[_change(row, broken, rationales) for row in shown], truncated=len(rows) > limit
    )


async def _chosen(
    archive: Archive, opened: Opened, *, run_id: str, workspace_id: str, at: str
) -> Chosen:
    if at:
        return await choose(opened.past, at, run=run_id, workspace=workspace_id)
    if workspace_id:
        return await newest(opened.past, workspace_id)
    if not run_id:
        raise BadQuestionError(
            parameter="run_id", given="", expected="a run, a workspace_id, or a moment in `at`"
        )
    return await newest(opened.past, await workspace_of_run(opened.past, run_id))


async def _counts(archive: Archive, chosen: Chosen) -> Counts:
    place = chosen.place
    rows = await asyncio.to_thread(
        archive.rows,
        "changed_resources",
        stream=place.stream,
        workspace=place.workspace_id,
        sequence=place.sequence,
    )
    return {_known(row): (row["changes"], row["agent"]) for row in rows}


def _known(row: Mapping[str, Any]) -> Known:
    raw = bytes.fromhex(row["name_hex"])
    return Known(row["target_type"], raw or str(row["target_resource"]).encode())


def _resource(name: Known, what: ResourceState, counts: Counts, chosen: Chosen) -> Resource:
    changes, agent = counts.get(name, (0, ""))
    return Resource(
        workspace_id=what.workspace_id or chosen.place.workspace_id,
        type=name.target_type,
        name=name.readable,
        digest=what.digest,
        size_bytes=what.size_bytes,
        mode=what.mode,
        changed_by=agent or None,
        event_id=what.event_id or None,
        changes=changes,
    )


async def _rationales(opened: Opened, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the rationale of each decision that a change names as its cause."""
    named = {str(cause).lower() for row in rows for cause in row["caused_by"]}
    found = await opened.past.events(sorted(named)) if named else []
    return {str(row["event_id"]): row["rationale"] for row in found if row["kind"] == DECISION}


def _change(
    row: Mapping[str, Any], broken: set[str], rationales: Mapping[str, str]
) -> ResourceChange:
    view = event_view(row)
    causes = (str(cause).lower() for cause in view["caused_by"])
    return ResourceChange(
        event_id=view["event_id"],
        stream=view["stream"],
        stream_seq=view["stream_seq"],
        at=view["event_time"],
        agent_id=view["agent_id"],
        role=view["agent_role"],
        run_id=view["run_id"],
        workspace_id=view["workspace_id"],
        previous=view["previous_state_hash"],
        new=view["new_state_hash"],
        mode=view["mode"],
        size_bytes=view["size_bytes"],
        renamed_from=view["renamed_from"],
        diff_patch=view["diff_patch"],
        is_break=view["event_id"] in broken,
        rationale=next((rationales[cause] for cause in causes if cause in rationales), ""),
    )
