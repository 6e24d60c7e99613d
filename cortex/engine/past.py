"""What history says of a moment: the event, its workspace, and everything that this one held.

Reads through the `History` port and writes nothing. A workspace starts from its manifest; without
one of its own, from its parent's state at the event that it was forked at. Its changes are in the
stream of events; a moment that an event of another stream names is found there by its time.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

from cortex.engine.content_source import ContentSource
from cortex.engine.manifest import ManifestEntry, parse_manifest
from cortex.engine.query_text import query_text
from cortex.engine.recorded_rows import (
    change_of_row,
    departure_of_row,
    event_of_row,
    has_unsaid_mode,
    newest_of_row,
    strand_of_row,
)
from cortex.engine.recovery import (
    ABSENT,
    NOTHING,
    Break,
    Change,
    Departure,
    Newest,
    Resource,
    ResourceState,
    State,
    at_manifest,
    breaks,
    is_ambiguous,
    needs_replay,
    overlay,
    replay,
    with_manifest,
)
from cortex.engine.strands import suspects
from cortex.errors import MomentError, NotRecordedError
from nervous_system.comms.contracts import History
from nervous_system.comms.streams import COORDINATION_STREAM, EVENTS_STREAM
from nervous_system.errors import ContentMissingError

MAX_FORKS = 100
"""Workspaces that may lie over each other; more can only be a circle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """An event, as the end of what counts."""

    stream: str
    sequence: int
    event_id: str
    time_ns: int
    """By the emitter's clock, nanoseconds since 1970."""
    kind: str
    agent_id: str
    run_id: str
    workspace_id: str
    """The event's own workspace; of a creation, the one that it created."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A workspace up to a place of the stream."""

    workspace_id: str
    stream: str
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a workspace started from."""

    parent: Place | None
    base_commit: str
    manifest_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One workspace of those that lie over each other."""

    place: Place
    base_commit: str = ""
    manifest_digest: str = ""
    is_snapshot: bool = False
    """The manifest lists all files of this very workspace, not those of a workspace under it."""


class Past:
    """Answers what was, from history."""

    def __init__(self, history: History, contents: ContentSource) -> None:
        self._history = history
        self._contents = contents

    async def event_by_id(self, event_id: str) -> Moment:
        """Return the event with this id.

        Raises:
            NotRecordedError: history does not hold it.
        """
        rows = await self._query("event_by_id", id=event_id)
        return _moment(rows, f"event {event_id}")

    async def event_by_prefix(self, prefix: str) -> Moment:
        """Return the one event whose id begins with `prefix`.

        Raises:
            NotRecordedError: there is none.
            MomentError: there are several.
        """
        rows = await self._query("ids_by_prefix", prefix=prefix)
        if len(rows) > 1:
            found = ", ".join(str(row["id"]) for row in rows)
            raise MomentError(given=prefix, reason=f"begins several event ids: {found}")
        if not rows:
            raise NotRecordedError(subject=f"event {prefix}", reason="no event id begins so")
        return await self.event_by_id(str(rows[0]["id"]))

    async def event_by_place(self, stream: str, sequence: int) -> Moment:
        """Return the event at a place of a stream.

        Raises:
            NotRecordedError: history does not hold it.
        """
        rows = await self._query("event_by_place", stream=stream, sequence=sequence)
        return _moment(rows, f"event {stream}#{sequence}")

    async def last_event(self, *, time_ns: int, workspace_id: str = "", run_id: str = "") -> Moment:
        """Return the last event of a workspace or run at or before a time.

        Raises:
            NotRecordedError: there is none.
        """
        of = f"workspace {workspace_id}" if workspace_id else f"run {run_id}"
        rows = await self._query(
            "last_event", time_ns=time_ns, workspace=workspace_id, run=run_id, stream=""
        )
        return _moment(rows, f"an event of {of} at or before that time")

    async def workspaces_of_run(self, run_id: str) -> list[str]:
        """Return the workspaces that a run changed or created."""
        rows = await self._query("run_workspaces", run=run_id)
        return [str(row["workspace"]) for row in rows]

    async def is_run(self, run_id: str) -> bool:
        """Return whether there are events of this run."""
        return bool(await self._query("run_known", run=run_id))

    async def place_of(self, moment: Moment, workspace_id: str | None = None) -> Place:
        """Return up to where a moment reaches in its own workspace, or in a given one."""
        sequence, stream = moment.sequence, moment.stream
        if stream == COORDINATION_STREAM:
            stream = EVENTS_STREAM
            rows = await self._query("sequence_at", stream=stream, time_ns=moment.time_ns)
            sequence = int(rows[0]["sequence"])
        return Place(
            workspace_id=moment.workspace_id if workspace_id is None else workspace_id,
            stream=stream,
            sequence=sequence,
        )

    async def layers(self, place: Place) -> list[Layer]:
        """Return the workspaces under a place, the oldest first, the place's own last.

        Raises:
            NotRecordedError: a parent, or the event of it, is not in history.
        """
        found: list[Layer] = []
        at: Place | None = place
        while at is not None:
            origin = await self._origin(at.workspace_id)
            layer = Layer(
                place=at,
                base_commit=origin.base_commit,
                manifest_digest=origin.manifest_digest,
            )
            found.insert(0, layer)
            at = origin.parent
            if len(found) > MAX_FORKS:
                raise NotRecordedError(
                    subject=f"the origin of workspace {place.workspace_id}",
                    reason="its parents form a circle",
                )
        return _with_snapshots(found)

    async def state_at(self, place: Place) -> State:
        """Return everything that the workspace held there.

        Raises:
            NotRecordedError: what it lies over is not in history.
        """
        return await self.state_of(await self.layers(place))

    async def state_of(self, layers: Sequence[Layer]) -> State:
        """Return what these workspaces, one over the other, held.

        Raises:
            NotRecordedError: a manifest is not kept.
        """
        changes, manifests = await asyncio.gather(
            asyncio.gather(*(self._changed(layer.place) for layer in layers)),
            asyncio.gather(*(self._manifest(layer) for layer in layers)),
        )
        state: State = NOTHING
        for layer, changed, entries in zip(layers, changes, manifests, strict=True):
            state = changed.over(_started(state, layer, entries))
        return state

    async def resource_at(self, place: Place, resource: Resource) -> ResourceState:
        """Return what one resource was; absent also where nothing is known of it.

        Raises:
            NotRecordedError: what the workspace lies over is needed, and not in history.
        """
        own = await self._changed_name(place, resource)
        found = own.over(NOTHING).get(resource)
        if _is_settled(found, resource):
            return found
        *below, _ = layers = await self.layers(place)
        parts = await asyncio.gather(*(self._changed_name(one.place, resource) for one in below))
        state: State = NOTHING
        for layer, part in zip(layers, [*parts, own], strict=True):
            state = part.over(_started(state, layer, await self._manifest(layer)))
        return state.get(resource, ABSENT)

    async def changes(
        self, place: Place, *, after: int = 0, names: Sequence[str] = ()
    ) -> list[Change]:
        """Return the changes of one workspace, in order; with names, those that concern them."""
        rows = await self._query("changes", **_bounds(place), after=after, names=list(names))
        return [change_of_row(row, place.workspace_id) for row in rows]

    async def breaks(self, layers: Sequence[Layer]) -> list[Break]:
        """Return where changes of the uppermost workspace do not follow from what was before.

        Raises:
            NotRecordedError: a manifest is not kept.
        """
        own = layers[-1]
        start = await self.start_of(layers)
        is_complete = any(layer.manifest_digest for layer in layers)
        rows = await self._query("strands", **_bounds(own.place))
        names = suspects([strand_of_row(row) for row in rows], start, is_complete=is_complete)
        if not names:
            return []
        found = await self.changes(own.place, names=sorted(names))
        return list(breaks(found, start, is_complete=is_complete))

    async def start_of(self, layers: Sequence[Layer]) -> State:
        """Return what the uppermost workspace started from.

        Raises:
            NotRecordedError: a manifest is not kept.
        """
        below = await self.state_of(layers[:-1])
        return _started(below, layers[-1], await self._manifest(layers[-1]))

    async def events(self, event_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return those events that history holds, by the names of `swarm.events`."""
        rows = await self._query("events_by_ids", ids=list(event_ids))
        return [event_of_row(row) for row in rows]

    async def run_events(
        self, run_id: str, limit: int, *, everything: bool
    ) -> list[dict[str, Any]]:
        """Return the newest events of a run, in order; `everything`: heartbeats too."""
        rows = await self._query("run_events", run=run_id, limit=limit, all=everything)
        return [event_of_row(row) for row in reversed(rows)]

    async def resource_events(
        self, resource: Resource, limit: int, workspace_id: str = ""
    ) -> list[dict[str, Any]]:
        """Return the newest changes of a resource, in order, in one workspace or all."""
        rows = await self._query(
            "resource_events", name=resource.readable, workspace=workspace_id, limit=limit
        )
        return [event_of_row(row) for row in reversed(rows)]

    async def rows(self, name: str, /, **parameters: Any) -> Sequence[Mapping[str, Any]]:
        """Return the rows of one of the engine's queries."""
        return await self._query(name, **parameters)

    async def _changed(self, place: Place) -> "_Changed":
        rows = await self._query("state", **_bounds(place))
        newest = [newest_of_row(row, place.workspace_id) for row in rows]
        if needs_replay(newest):
            return _Changed(changes=await self.changes(place))
        return _Changed(newest=newest)

    async def _changed_name(self, place: Place, resource: Resource) -> "_Changed":
        """Return what concerns one name; everything, where that cannot be told apart."""
        rows, left = await asyncio.gather(
            self._query("resource_state", **_bounds(place), name=resource.readable),
            self._query("departure", **_bounds(place), name=resource.readable),
        )
        newest = [newest_of_row(row, place.workspace_id) for row in rows]
        departed = [departure_of_row(row, resource.readable, place.workspace_id) for row in left]
        is_ambiguous_name = bool(departed) and is_ambiguous(resource.readable)
        if is_ambiguous_name or any(has_unsaid_mode(row) for row in rows):
            return await self._changed(place)
        return _Changed(newest=newest, departed=dict(departed))

    async def _origin(self, workspace_id: str) -> Origin:
        rows = await self._query("workspace", workspace=workspace_id)
        if not rows:
            return Origin(parent=None, base_commit="", manifest_digest="")
        row = rows[0]
        return Origin(
            parent=await self._parent(row),
            base_commit=str(row["base_commit"]),
            manifest_digest=str(row["manifest_digest"]),
        )

    async def _parent(self, row: Mapping[str, Any]) -> Place | None:
        """Return where a workspace was forked; without an event, where it was created."""
        parent = str(row["parent_workspace_id"])
        if not parent:
            return None
        event_id = str(row["parent_event_id"]) or str(row["id"])
        return await self.place_of(await self.event_by_id(event_id), parent)

    async def _manifest(self, layer: Layer) -> list[ManifestEntry]:
        if not layer.manifest_digest:
            return []
        try:
            content = await self._contents.get(layer.manifest_digest)
        except ContentMissingError as error:
            raise NotRecordedError(
                subject=f"what workspace {layer.place.workspace_id} started from",
                reason=f"its manifest {layer.manifest_digest} is not kept",
            ) from error
        return parse_manifest(content)

    async def _query(self, name: str, /, **parameters: Any) -> Sequence[Mapping[str, Any]]:
        return await self._history.query(query_text(name), parameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changed:
    """What changes made of a workspace: the newest of each resource, or all of them."""

    newest: Sequence[Newest] = ()
    departed: Mapping[Resource, Departure] = field(default_factory=dict)
    changes: Sequence[Change] | None = None

    def over(self, start: State) -> State:
        """Return the state that the changes made of `start`."""
        if self.changes is not None:
            return replay(self.changes, start)
        return overlay(self.newest, start, self.departed)


def _with_snapshots(layers: Sequence[Layer]) -> list[Layer]:
    """Mark manifests that are a workspace's own: the others repeat what one under it began with."""
    known: set[str] = {""}
    marked = []
    for layer in layers:
        marked.append(replace(layer, is_snapshot=layer.manifest_digest not in known))
        known.add(layer.manifest_digest)
    return marked


def _started(below: State, layer: Layer, entries: Sequence[ManifestEntry]) -> State:
    """Return what a workspace started from: its manifest, or its parent's state over it."""
    start = at_manifest if layer.is_snapshot else with_manifest
    return start(below, entries, layer.place.workspace_id)


def _is_settled(found: ResourceState | None, resource: Resource) -> TypeGuard[ResourceState]:
    """Whether what is below cannot matter: only a mode that was never said comes from there."""
    return found is not None and (not found.is_present or bool(found.mode) or not resource.is_file)


def _bounds(place: Place) -> dict[str, Any]:
    return {
        "workspace": place.workspace_id,
        "stream": place.stream,
        "sequence": place.sequence,
    }


def _moment(rows: Sequence[Mapping[str, Any]], subject: str) -> Moment:
    if not rows:
        raise NotRecordedError(subject=subject, reason="history does not hold it")
    row = rows[0]
    return Moment(
        stream=str(row["stream"]),
        sequence=int(row["sequence"]),
        event_id=str(row["id"]),
        time_ns=int(row["time_ns"]),
        kind=str(row["kind"]),
        agent_id=str(row["agent_id"]),
        run_id=str(row["run_id"]),
        workspace_id=str(row["created_workspace_id"] or row["workspace_id"]),
    )
