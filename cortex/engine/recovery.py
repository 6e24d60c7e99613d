"""The state of a workspace at any moment, rebuilt from its recorded changes.

Pure. A state maps every resource that was ever mentioned to what it is; what has gone is kept as
absent, so that it hides what a parent workspace had. Changes are applied in stream order:
`replay(a + b)` is `replay(b)` after `replay(a)`. Histories are long, so `overlay` reaches the same
state from the newest change of each resource alone; `needs_replay` says where that does not do.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cortex.engine.manifest import ManifestEntry

FILE_SYSTEM = "FILE_SYSTEM"
_ESCAPE = "\\x"
"""Stands in the readable form of every name that is not UTF-8."""


@dataclass(frozen=True, slots=True, order=True)
class Resource:
    """Something that a workspace holds: a file, a variable, a schema."""

    target_type: str
    """`FILE_SYSTEM`, `ENV_VAR`, ..."""
    name: bytes
    """Within the workspace; need not be UTF-8."""

    @property
    def readable(self) -> str:
        """The name as text, as events carry it."""
        return self.name.decode("utf-8", "backslashreplace")

    @property
    def is_file(self) -> bool:
        """Whether it is a file."""
        return self.target_type == FILE_SYSTEM


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One recorded change of one resource."""

    resource: Resource
    sequence: int
    """Place in the stream, from 1."""
    event_id: str
    workspace_id: str
    previous_digest: str
    """Hex SHA-256 of the state before; empty: it was absent."""
    digest: str
    """Hex SHA-256 of the state after; empty: it is absent."""
    mode: int
    """Permission bits; 0: not said."""
    size_bytes: int
    is_restorable: bool
    """Its content was kept as it was; intake alters what it takes from transcripts."""
    renamed_from: str = ""
    """Readable name that went away as this one took its content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceState:
    """What a resource is at one moment."""

    digest: str
    """Hex SHA-256 of its content; empty: absent."""
    mode: int = 0
    """Permission bits; 0: unknown."""
    size_bytes: int = 0
    is_restorable: bool = True
    sequence: int = 0
    """Of the change that made it so; 0: it is as the workspace began."""
    event_id: str = ""
    workspace_id: str = ""
    """Where that change happened."""

    @property
    def is_present(self) -> bool:
        """Whether the resource exists."""
        return bool(self.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A name that went away because its content took another one."""

    name: str
    """Readable."""
    sequence: int
    event_id: str
    workspace_id: str
    is_mode_known: bool
    """Whether the event said which mode the content has under its new name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Newest:
    """What `overlay` needs of all changes of one resource."""

    change: Change
    known_mode: int
    """Mode of the newest change that said one, or deleted the resource (0)."""
    mode_sequence: int
    """Place of that change; 0: there is none."""
    departures: tuple[Departure, ...] = ()
    """Names whose content this resource took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A change that does not start from the state before: something happened unrecorded between."""

    change: Change
    expected: str
    """Digest that the records before it end with; empty: absent."""

    @property
    def found(self) -> str:
        """Digest that the change started from; empty: absent."""
        return self.change.previous_digest


State = Mapping[Resource, ResourceState]
NOTHING: State = {}
ABSENT = ResourceState(digest="")
_NO_DEPARTURES: Mapping[Resource, Departure] = {}


def replay(changes: Iterable[Change], start: State = NOTHING) -> dict[Resource, ResourceState]:
    """Return the state after `changes`, which are in stream order."""
    state = dict(start)
    for change in changes:
        _apply(state, change)
    return state


def overlay(
    newest: Sequence[Newest],
    start: State = NOTHING,
    departed: Mapping[Resource, Departure] = _NO_DEPARTURES,
) -> dict[Resource, ResourceState]:
    """Return what `replay` of all the changes would, from the newest of each resource.

    Args:
        newest: one for each resource.
        start: state before them.
        departed: further names that went away, where `newest` does not hold what took them.
    """
    departed = _newest_departures(newest) | dict(departed)
    state = dict(start)
    for resource, departure in departed.items():
        state[resource] = _gone(departure.sequence, departure.event_id, departure.workspace_id)
    for one in newest:
        resource = one.change.resource
        left_at = departed[resource].sequence if resource in departed else 0
        if left_at <= one.change.sequence:
            mode = _newest_mode(one, left_at, start.get(resource, ABSENT))
            state[resource] = _state_after(one.change, mode)
    return state


def needs_replay(newest: Iterable[Newest]) -> bool:
    """Whether the newest changes do not tell everything.

    A rename that says no mode hands on the old one, and a readable name may stand for two.
    """
    return any(
        not departure.is_mode_known or is_ambiguous(departure.name)
        for one in newest
        for departure in one.departures
    )


def is_ambiguous(name: str) -> bool:
    """Whether a readable name may stand for bytes that are not UTF-8, and for itself."""
    return _ESCAPE in name


def with_manifest(
    state: State, entries: Iterable[ManifestEntry], workspace_id: str = ""
) -> dict[Resource, ResourceState]:
    """Return `state` with the files of a manifest that it says nothing about."""
    return _files_of(entries, workspace_id) | dict(state)


def at_manifest(
    state: State, entries: Iterable[ManifestEntry], workspace_id: str = ""
) -> dict[Resource, ResourceState]:
    """Return `state` with exactly the files of a manifest.

    What is the same in both keeps the event that it comes from.
    """
    files = _files_of(entries, workspace_id)
    result: dict[Resource, ResourceState] = {}
    for resource, before in state.items():
        found = files.get(resource, ABSENT) if resource.is_file else before
        is_same = (before.digest, before.mode) == (found.digest, found.mode)
        result[resource] = before if is_same else found
    return files | result


def _files_of(entries: Iterable[ManifestEntry], workspace_id: str) -> dict[Resource, ResourceState]:
    return {
        Resource(FILE_SYSTEM, entry.path): ResourceState(
            digest=entry.digest,
            mode=entry.mode,
            size_bytes=entry.size_bytes,
            workspace_id=workspace_id,
        )
        for entry in entries
    }


def present(state: State) -> dict[Resource, ResourceState]:
    """Return what exists, sorted by name."""
    return {resource: state[resource] for resource in sorted(state) if state[resource].is_present}


def manifest_entries(state: State) -> Iterator[ManifestEntry]:
    """Yield the files that exist, as a manifest lists them."""
    for resource, found in present(state).items():
        if resource.is_file:
            yield ManifestEntry(
                path=resource.name,
                mode=found.mode,
                digest=found.digest,
                size_bytes=found.size_bytes,
            )


def breaks(
    changes: Iterable[Change], start: State = NOTHING, *, is_complete: bool = False
) -> Iterator[Break]:
    """Yield the changes that do not follow from what was recorded before them.

    Args:
        changes: in stream order.
        start: state before them.
        is_complete: `start` holds everything; else the first change of what it does not mention
            is taken as it is.
    """
    state = dict(start)
    for change in changes:
        expected = _expected(state, change, is_complete=is_complete)
        if expected and change.previous_digest not in expected:
            yield Break(change=change, expected=expected[0])
        _apply(state, change)


def _expected(state: State, change: Change, *, is_complete: bool) -> list[str]:
    """Return digests that a change may start from; a rename's, of the old name or the new."""
    names = [change.resource]
    if change.renamed_from:
        names.insert(0, _departed(state, change))
    unknown = ABSENT if is_complete else None
    found = [state.get(name, unknown) for name in names]
    if found[0] is None:
        return []
    return [one.digest for one in found if one is not None]


def _apply(state: dict[Resource, ResourceState], change: Change) -> None:
    source = change.resource
    if change.renamed_from:
        source = _departed(state, change)
    before = state.get(source, ABSENT)
    if source != change.resource:
        state[source] = _gone(change.sequence, change.event_id, change.workspace_id)
    state[change.resource] = _state_after(change, change.mode or before.mode)


def _state_after(change: Change, mode: int) -> ResourceState:
    if not change.digest:
        return _gone(change.sequence, change.event_id, change.workspace_id)
    return ResourceState(
        digest=change.digest,
        mode=mode,
        size_bytes=change.size_bytes,
        is_restorable=change.is_restorable,
        sequence=change.sequence,
        event_id=change.event_id,
        workspace_id=change.workspace_id,
    )


def _gone(sequence: int, event_id: str, workspace_id: str) -> ResourceState:
    return ResourceState(digest="", sequence=sequence, event_id=event_id, workspace_id=workspace_id)


def _departed(state: State, change: Change) -> Resource:
    """Return the resource that a rename took its content from.

    Events name it readably only: where two have that name, it is the one with that content.
    """
    plain = Resource(change.resource.target_type, change.renamed_from.encode())
    if not is_ambiguous(change.renamed_from):
        return plain
    alike = [
        one
        for one, found in state.items()
        if found.is_present
        and one.target_type == plain.target_type
        and one.readable == change.renamed_from
    ]
    fitting = [one for one in alike if state[one].digest == change.previous_digest]
    return min(fitting or alike or [plain])


def _newest_departures(newest: Iterable[Newest]) -> dict[Resource, Departure]:
    departed: dict[Resource, Departure] = {}
    for one in newest:
        for departure in one.departures:
            resource = Resource(one.change.resource.target_type, departure.name.encode())
            known = departed.get(resource)
            if resource != one.change.resource and (
                known is None or known.sequence < departure.sequence
            ):
                departed[resource] = departure
    return departed


def _newest_mode(one: Newest, left_at: int, before: ResourceState) -> int:
    """Return the mode after a resource's newest change, which need not say one."""
    if one.mode_sequence > left_at:
        return one.known_mode
    return 0 if left_at else before.mode
