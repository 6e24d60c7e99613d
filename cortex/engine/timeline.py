"""Timelines: what happened in order, with the places where something happened unrecorded.

Pure. A change that does not start from the state before it is preceded by an entry that says so:
breaks are shown, never passed over.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cortex.engine.recovery import Break, Change, State, breaks


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event, or a break before it."""

    row: Mapping[str, Any] | None
    found: Break | None = None


def entries(rows: Sequence[Mapping[str, Any]], found: Iterable[Break]) -> Iterator[Entry]:
    """Yield events in order, each break before the change that shows it."""
    by_event = {one.change.event_id: one for one in found}
    for row in rows:
        shown = by_event.get(str(row["event_id"]))
        if shown is not None:
            yield Entry(row=None, found=shown)
        yield Entry(row=row)


def breaks_by_workspace(
    changes: Iterable[Change], starts: Mapping[str, State], complete: Iterable[str]
) -> Iterator[Break]:
    """Yield the breaks in the chains of several workspaces.

    Args:
        changes: of all of them, in order.
        starts: state of each workspace before its first change here.
        complete: workspaces whose state before is wholly known.
    """
    whole = set(complete)
    grouped: dict[str, list[Change]] = {}
    for change in changes:
        grouped.setdefault(change.workspace_id, []).append(change)
    for workspace_id, own in grouped.items():
        yield from breaks(own, starts[workspace_id], is_complete=workspace_id in whole)
