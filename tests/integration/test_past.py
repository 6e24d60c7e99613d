"""Random workspaces and forks of them come back as they were, at every event, from real history."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cortex.engine.manifest import ManifestEntry, format_manifest
from cortex.engine.past import Past, Place
from cortex.engine.recovery import FILE_SYSTEM, Change, Resource, State, present, replay
from infrastructure.history.blobs import Blobs
from infrastructure.history.client import AsyncHistory, HistoryClient, open_history
from infrastructure.history.config import HistoryConfig
from infrastructure.history.migrate import migrate
from nervous_system.schemas import StateChange, SwarmEvent, WorkspaceCreated
from tests.support.blob_contents import BlobContents
from tests.support.builders import build_event, subject_of
from tests.support.changes import NAMES, Tree, digest_of, edited_trees, further_edits
from tests.support.ledgered import STREAM, Appender

EXAMPLES = settings(
    max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


@dataclass(slots=True)
class Recorder:
    """Appends the changes of trees to history."""

    client: HistoryClient
    appender: Appender
    sequences: Iterator[int]

    @property
    def past(self) -> Past:
        return Past(AsyncHistory(self.client), BlobContents(self.client))

    def record(self, workspace_id: str, changes: list[Change]) -> list[Place]:
        """Return the place of each change; ids of places are those of the stream."""
        return [self._append(event_of(one), workspace_id) for one in changes]

    def create(
        self, workspace_id: str, manifest: bytes | None, parent: tuple[str, str] = ("", "")
    ) -> Place:
        digest = Blobs(self.client).put(manifest) if manifest is not None else ""
        payload = WorkspaceCreated(
            created_workspace_id=workspace_id,
            parent_workspace_id=parent[0],
            parent_event_id=parent[1],
            manifest_digest=digest,
        )
        return self._append(build_event(payload), workspace_id)

    def event_id(self, place: Place) -> str:
        (row,) = self.client.query(
            "select toString(event_id) as id from swarm.events where stream_seq = {s:UInt64}",
            {"s": place.sequence},
        )
        return str(row["id"])

    def _append(self, event: SwarmEvent, workspace_id: str) -> Place:
        event.workspace_id = workspace_id
        sequence = next(self.sequences)
        self.appender.append([(sequence, subject_of(event), event.SerializeToString())])
        return Place(workspace_id=workspace_id, stream=STREAM, sequence=sequence)


@pytest.fixture
def recorder(history_dsn: str) -> Iterator[Recorder]:
    with open_history(HistoryConfig(dsn=history_dsn)) as client:
        migrate(client)
        yield Recorder(client, Appender(client, f"{STREAM}@test"), count(1))


@EXAMPLES
@given(edited_trees(max_edits=8))
async def test_every_event_of_a_workspace_comes_back(recorder: Recorder, tree: Tree) -> None:
    places = recorder.record(new_id(), tree.changes)
    for number, place in enumerate(places, start=1):
        await check(recorder.past, place, replay(tree.changes[:number]))


@EXAMPLES
@given(edited_trees(max_edits=6), st.data())
async def test_forks_of_forks_come_back(
    recorder: Recorder, tree: Tree, data: st.DataObject
) -> None:
    """Each goes on from its parent's state at the event that it was forked at."""
    parent, start = new_id(), Tree(files=dict(tree.files))
    place = recorder.create(parent, manifest_of(tree))
    for _ in range(2):
        edits = data.draw(further_edits(start, 4))
        places = recorder.record(place.workspace_id, edits.changes)
        # What the parent does after the fork is none of the fork's business.
        at = places[-1] if places else place
        recorder.record(place.workspace_id, data.draw(further_edits(edits, 2)).changes)
        place = recorder.create(new_id(), None, (place.workspace_id, recorder.event_id(at)))
        start = edits
        await check_files(recorder.past, place, start)


@EXAMPLES
@given(edited_trees(max_edits=5), edited_trees(max_edits=5), st.data())
async def test_a_manifest_of_its_own_is_what_a_fork_starts_from(
    recorder: Recorder, parent: Tree, own: Tree, data: st.DataObject
) -> None:
    """Also where the parent's recorded state is another: work is merged without a record."""
    above = new_id()
    begun = recorder.create(above, None)
    recorder.record(above, parent.changes)
    place = recorder.create(new_id(), manifest_of(own) + b"\n", (above, recorder.event_id(begun)))
    await check_files(recorder.past, place, own)
    edits = data.draw(further_edits(own, 4))
    for at in recorder.record(place.workspace_id, edits.changes)[-1:]:
        await check_files(recorder.past, at, edits)


@EXAMPLES
@given(edited_trees(max_edits=8), st.data())
async def test_only_a_change_that_was_not_recorded_is_a_break(
    recorder: Recorder, tree: Tree, data: st.DataObject
) -> None:
    workspace_id = new_id()
    recorder.create(workspace_id, b"")
    changes = list(tree.changes)
    altered = data.draw(st.none() | st.integers(0, len(changes) - 1)) if changes else None
    if altered is not None:
        changes[altered] = replace(changes[altered], previous_digest=digest_of(b"outside"))
    places = recorder.record(workspace_id, changes)
    layers = await recorder.past.layers(place_after(places, workspace_id))
    found = {one.change.sequence for one in await recorder.past.breaks(layers)}
    assert found == (set() if altered is None else {places[altered].sequence})


def place_after(places: list[Place], workspace_id: str) -> Place:
    last = places[-1].sequence if places else 2**62
    return Place(workspace_id=workspace_id, stream=STREAM, sequence=last)


async def check(past: Past, place: Place, expected: State) -> None:
    """The whole workspace, and each file on its own."""
    assert facts(await past.state_at(place)) == facts(expected)
    for name in NAMES:
        resource = Resource(FILE_SYSTEM, name)
        one = await past.resource_at(place, resource)
        assert facts({resource: one}) == facts(
            {resource: expected[resource]} if resource in expected else {}
        )


async def check_files(past: Past, place: Place, tree: Tree) -> None:
    expected = {name: (digest_of(content), mode) for name, (content, mode) in tree.files.items()}
    assert facts(await past.state_at(place)) == expected
    for name in NAMES:
        one = await past.resource_at(place, Resource(FILE_SYSTEM, name))
        found = (one.digest, one.mode) if one.is_present else None
        assert found == expected.get(name)


def facts(state: State) -> dict[bytes, tuple[str, int]]:
    return {one.name: (found.digest, found.mode) for one, found in present(state).items()}


def manifest_of(tree: Tree) -> bytes:
    return format_manifest(
        ManifestEntry(path=name, mode=mode, digest=digest_of(content), size_bytes=len(content))
        for name, (content, mode) in tree.files.items()
    )


def new_id() -> str:
    return f"workspace-{uuid.uuid4()}"


def event_of(change: Change) -> SwarmEvent:
    name = change.resource.name
    is_text = name.decode("utf-8", "replace").encode() == name
    payload = StateChange(
        target_type=change.resource.target_type,
        target_resource=change.resource.readable,
        previous_state_hash=change.previous_digest,
        new_state_hash=change.digest,
        is_reversible=True,
        mode=change.mode,
        size_bytes=change.size_bytes,
        renamed_from=change.renamed_from,
        resource_bytes=b"" if is_text else name,
    )
    return build_event(payload)
