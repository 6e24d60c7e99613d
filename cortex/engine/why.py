"""Why a resource, or one line of it, is as it is: the change that wrote it and what led to that.

Reads the past and writes nothing. A line is followed from the newest change to older ones, through
renames and into parent workspaces; what came with the start of a workspace, or from outside the
swarm, is said to have. Causes are followed through `caused_by`; where a change names none, the last
decision of its agent before it is offered, and marked as not recorded.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cortex.engine.blame import Block, blocks_between, blocks_of_patch, line_before, split_lines
from cortex.engine.content_source import ContentSource
from cortex.engine.past import MAX_FORKS, Layer, Past, Place
from cortex.engine.recorded_rows import change_of_row
from cortex.engine.recovery import Change, Resource
from nervous_system.errors import ContentMissingError

PAGE_CHANGES = 200
MAX_CAUSES = 200
"""Events that are followed back at most."""
DECISION = "decision"


class Writer(enum.StrEnum):
    """Who is behind a line."""

    CHANGE = "change"
    """A recorded change."""
    START = "start"
    """It was there when the workspace began."""
    OUTSIDE = "outside"
    """Something that was not recorded, found by the break in the chain of states."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Where a line, or a whole resource, comes from."""

    writer: Writer
    change: Change | None = None
    """The change that wrote it; of what came from outside, the recorded one before, if any."""
    seen_by: Change | None = None
    """Of what came from outside: the change that found it there, if any."""
    layer: Layer | None = None
    """Of what was there from the start: whose start."""
    is_certain: bool = True
    """False where contents that are not kept would have told whether it is older."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """An event behind a change."""

    row: Mapping[str, Any]
    depth: int
    """How many steps back; 1: named by the change itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What led to a change."""

    causes: Sequence[Cause]
    """The nearest first."""
    decision: Mapping[str, Any] | None
    """The nearest decision among them."""
    is_recorded: bool
    """False: the change names no decision, and this is merely its agent's last one before."""


@dataclass(frozen=True, slots=True)
class _Trail:
    """What is followed backwards: a name, its content, a line in it."""

    resource: Resource
    digest: str
    line: int
    newer: Change | None = None


class Inquiry:
    """Follows lines and causes back."""

    def __init__(self, past: Past, contents: ContentSource) -> None:
        self._past = past
        self._contents = contents

    async def newest_change(self, place: Place, resource: Resource) -> Found:
        """Return what made the resource what it was at a place.

        Raises:
            NotRecordedError: what the workspace lies over is not in history.
        """
        layers = await self._past.layers(place)
        for layer in reversed(layers):
            rows = await self._page(layer.place, resource, limit=1)
            if rows:
                return Found(writer=Writer.CHANGE, change=rows[0][0])
        return Found(writer=Writer.START, layer=layers[0])

    async def writer_of(self, place: Place, resource: Resource, digest: str, line: int) -> Found:
        """Return where a line comes from.

        Args:
            place: workspace and moment.
            resource: the file.
            digest: of its content there.
            line: from 0.

        Raises:
            NotRecordedError: what the workspace lies over is not in history.
        """
        return await self._follow(place, _Trail(resource, digest, line), hops=0)

    async def explain(self, change: Change, stream: str) -> Explanation:
        """Return what led to a change, followed back through what its events name as causes."""
        causes = await self._causes(change.event_id)
        own = causes[0]
        decision = next((one.row for one in causes if one.row["kind"] == DECISION), None)
        if decision is not None:
            return Explanation(causes=causes[1:], decision=decision, is_recorded=True)
        rows = await self._past.rows(
            "decision_before",
            stream=stream,
            sequence=change.sequence,
            agent=own.row["agent_id"],
            run=own.row["run_id"],
        )
        nearest = await self._past.events([str(row["id"]) for row in rows]) if rows else []
        return Explanation(
            causes=causes[1:], decision=nearest[0] if nearest else None, is_recorded=False
        )

    async def _follow(self, place: Place, trail: _Trail, hops: int) -> Found:
        layers = await self._past.layers(place)
        for number in range(len(layers), 0, -1):
            step = await self._through_changes(layers[number - 1].place, trail)
            if isinstance(step, _Trail):
                step = await self._through_start(layers[:number], step, hops)
            if isinstance(step, Found):
                return step
            trail = step
        return Found(writer=Writer.START, layer=layers[0])

    async def _through_start(
        self, layers: Sequence[Layer], trail: _Trail, hops: int
    ) -> Found | _Trail:
        """Follow a line from the beginning of a workspace into the one under it."""
        start = (await self._past.start_of(layers)).get(trail.resource)
        if start is not None:
            step = await self._across(start.digest, trail, None)
            if isinstance(step, Found):
                return step
            trail = step
        if len(layers) == 1:
            return trail
        below = await self._past.resource_at(layers[-2].place, trail.resource)
        if below.digest == trail.digest:
            return trail
        elsewhere = await self._written_elsewhere(layers[-1].place, trail)
        if elsewhere is not None and hops < MAX_FORKS:
            return await self._follow(elsewhere, trail, hops + 1)
        return await self._across(below.digest, trail, None)

    async def _written_elsewhere(self, place: Place, trail: _Trail) -> Place | None:
        """Return where this very content was recorded: work is merged between workspaces."""
        rows = await self._past.rows(
            "change_with_digest",
            stream=place.stream,
            sequence=place.sequence,
            workspace=place.workspace_id,
            name=trail.resource.readable,
            digest=trail.digest,
        )
        if not rows:
            return None
        return Place(
            workspace_id=str(rows[0]["workspace"]),
            stream=place.stream,
            sequence=int(rows[0]["sequence"]),
        )

    async def _through_changes(self, place: Place, trail: _Trail) -> Found | _Trail:
        """Follow a line through the changes of one workspace, to its writer or its beginning."""
        while True:
            rows = await self._page(place, trail.resource, limit=PAGE_CHANGES)
            name = trail.resource
            for change, patch in rows:
                step = await self._through(change, patch, trail)
                if isinstance(step, Found):
                    return step
                trail = step
                if trail.resource != name:
                    break
            if not rows or (trail.resource == name and len(rows) < PAGE_CHANGES):
                return trail
            place = replace(place, sequence=change.sequence - 1)

    async def _through(self, change: Change, patch: str, trail: _Trail) -> Found | _Trail:
        step = await self._across(change.digest, trail, change)
        if isinstance(step, Found):
            return step
        trail = step
        blocks = blocks_of_patch(patch) if patch else None
        if blocks is None:
            blocks = await self._replaced(change.previous_digest, change.digest)
        before = None if blocks is None else line_before(blocks, trail.line)
        if before is None:
            return Found(writer=Writer.CHANGE, change=change, is_certain=blocks is not None)
        name = change.resource
        if change.renamed_from:
            name = Resource(name.target_type, change.renamed_from.encode())
        return _Trail(name, change.previous_digest, before, change)

    async def _across(self, digest: str, trail: _Trail, change: Change | None) -> Found | _Trail:
        """Follow a line over a break in the chain, to the content that was recorded before it."""
        if digest == trail.digest:
            return trail
        gap = await self._replaced(digest, trail.digest)
        before = None if gap is None else line_before(gap, trail.line)
        if before is None:
            return Found(
                writer=Writer.OUTSIDE,
                change=change,
                seen_by=trail.newer,
                is_certain=gap is not None,
            )
        return replace(trail, digest=digest, line=before)

    async def _replaced(self, old: str, new: str) -> list[Block] | None:
        """Return what differs between two contents; None where one is not kept."""
        if old == new:
            return []
        try:
            before = split_lines(await self._contents.get(old)) if old else []
            after = split_lines(await self._contents.get(new)) if new else []
        except ContentMissingError:
            return None
        return blocks_between(before, after)

    async def _page(
        self, place: Place, resource: Resource, *, limit: int
    ) -> list[tuple[Change, str]]:
        """Return the newest changes of a resource with their patches."""
        rows = await self._past.rows(
            "patches",
            stream=place.stream,
            workspace=place.workspace_id,
            sequence=place.sequence,
            name=resource.readable,
            limit=limit,
        )
        changes = [(change_of_row(row, place.workspace_id), str(row["diff_patch"])) for row in rows]
        exact = [one for one in changes if one[0].resource == resource]
        # A rename names the old file readably only: where nothing has that very name, take what has
        # its readable form.
        return exact or changes

    async def _causes(self, event_id: str) -> list[Cause]:
        """Return an event and what led to it, breadth first."""
        found: list[Cause] = []
        wanted, seen, depth = [event_id], {event_id}, 0
        while wanted and len(found) < MAX_CAUSES:
            rows = {str(row["event_id"]): row for row in await self._past.events(wanted)}
            found += [Cause(row=rows[one], depth=depth) for one in wanted if one in rows]
            named = [
                cause.lower() for one in wanted if one in rows for cause in rows[one]["caused_by"]
            ]
            wanted = [one for one in dict.fromkeys(named) if one not in seen]
            seen.update(wanted)
            depth += 1
        return found[:MAX_CAUSES]
