"""A workspace: a directory that an agent works in, and what history knows of it.

All tools that touch it share one `Workspace`: its lock keeps their calls apart, so that each change
has one origin, and its record of what was told makes changes from outside show.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from cortex.engine.manifest import ManifestEntry, format_manifest
from cortex.tools.comparison import Difference, Manifest, apply, compare
from cortex.tools.contents import Contents
from cortex.tools.finishing import unbroken
from cortex.tools.recording import ToolRecorder
from cortex.tools.snapshot import Snapshot, Snapshotter
from nervous_system import events
from nervous_system.comms.contracts import ContentStore, Receipt
from nervous_system.options import Causes, EmitOptions

OUTSIDE = {"origin": "outside"}
"""Label of a change that no tool made; it was found."""
T = TypeVar("T")
MAX_TOGETHER = 32
MAX_STORED = 500
MAX_TOGETHER_BYTES = 16 * 1024 * 1024


class Workspace:
    """The state of one directory; made by `open_workspace`."""

    def __init__(
        self, root: Path, workspace_id: str, contents: Contents, snapshotter: Snapshotter
    ) -> None:
        self.root = root
        self.workspace_id = workspace_id
        self.contents = contents
        self.lock = asyncio.Lock()
        """Held for each call of a tool, until its changes are told."""
        self._snapshotter = snapshotter
        self._told: dict[bytes, ManifestEntry] = {}

    @property
    def manifest(self) -> Manifest:
        """The files as history knows them."""
        return self._told

    def formatted_manifest(self) -> bytes:
        """Return the manifest as content, whose digest `workspace_created` names."""
        return format_manifest(self._told.values())

    async def look(self) -> Snapshot:
        """Return the state of the directory; its contents are kept on this machine.

        Raises:
            ToolFailedError: it cannot be read.
        """
        return await unbroken(asyncio.to_thread(self._snapshotter.take))

    async def begin(self) -> None:
        """Take the present state for what the workspace starts from."""
        self._told = dict((await self.look()).files)

    async def announce(
        self,
        recorder: ToolRecorder,
        store: ContentStore,
        *,
        parent_workspace_id: str = "",
        parent_event_id: str = "",
        base_commit: str = "",
        caused_by: Causes = (),
    ) -> Receipt:
        """Store what the workspace starts from and publish that it exists.

        Raises:
            BusError: a content cannot be stored.
        """
        await self.store_contents(store)
        payload = events.workspace_created(
            self.workspace_id,
            parent_workspace_id=parent_workspace_id,
            parent_event_id=parent_event_id,
            base_commit=base_commit,
            manifest_digest=await store.put(self.formatted_manifest()),
        )
        receipt = await recorder.agent.emit(
            payload, caused_by=caused_by, workspace_id=self.workspace_id
        )
        recorder.note(receipt)
        return receipt

    async def store_contents(self, store: ContentStore) -> None:
        """Store every file's content, each once.

        Raises:
            BusError: one cannot be stored.
        """
        unique = {entry.digest: entry for entry in self._told.values()}
        for group in _together(unique.values(), lambda entry: entry.size_bytes, MAX_STORED):
            await store.put_all([await self._kept(entry.digest) for entry in group])

    async def record_outside(self, recorder: ToolRecorder, present: Manifest) -> None:
        """Tell what differs from what was told: no tool made these changes."""
        await self.record(recorder, compare(self._told, present), attributes=OUTSIDE)

    async def record(
        self,
        recorder: ToolRecorder,
        differences: Sequence[Difference],
        *,
        caused_by: Causes = (),
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        """Tell changes, in an order in which each state on the way can exist."""
        options: EmitOptions = {
            "caused_by": caused_by,
            "attributes": attributes,
            "workspace_id": self.workspace_id,
            # The bus is away: to wait for it with each change again would help nobody.
            "wait": False if _is_spooled(caused_by) else None,
        }
        for group in _phases(differences):
            for part in _together(group, _size):
                await _all(self._record(recorder, one, options) for one in part)
        self._told = apply(self._told, differences)

    async def _record(
        self,
        recorder: ToolRecorder,
        difference: Difference,
        options: EmitOptions,
    ) -> None:
        receipt = await recorder.agent.change_file(
            difference.path,
            before=await self._content(difference.before),
            after=await self._content(difference.after),
            mode=difference.after.mode if difference.after is not None else 0,
            renamed_from=difference.renamed_from,
            **options,
        )
        recorder.note(receipt)

    async def _content(self, entry: ManifestEntry | None) -> bytes | None:
        if entry is None:
            return None
        return await self._kept(entry.digest)

    async def _kept(self, digest: str) -> bytes:
        return await asyncio.to_thread(self.contents.get, digest)


async def open_workspace(root: Path, workspace_id: str, contents: Contents) -> Workspace:
    """Return a workspace that starts from what is in `root` now.

    Args:
        root: the directory.
        workspace_id: what its state changes belong to.
        contents: kept outside of `root`; may be shared by the workspaces of a run.

    Raises:
        ToolFailedError: `root` cannot be read.
    """
    workspace = Workspace(root, workspace_id, contents, Snapshotter(root, contents))
    await workspace.begin()
    return workspace


async def _all(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do all of it at the same time; the first error is raised when the rest is done, too."""
    ended = await asyncio.gather(*works, return_exceptions=True)
    for error in ended:
        if error is not None:
            raise error


def _is_spooled(causes: Causes) -> bool:
    return any(isinstance(cause, Receipt) and cause.spooled for cause in causes)


def _phases(differences: Iterable[Difference]) -> Iterator[list[Difference]]:
    """Yield deletions, renames and the rest: within each of them the order is free."""
    ordered = list(differences)
    yield [one for one in ordered if one.after is None]
    yield [one for one in ordered if one.after is not None and one.renamed_from is not None]
    yield [one for one in ordered if one.after is not None and one.renamed_from is None]


def _together(
    items: Iterable[T], size_of: Callable[[T], int], most: int = MAX_TOGETHER
) -> Iterator[list[T]]:
    """Yield groups that are worked on at the same time: few, and not many bytes."""
    group: list[T] = []
    total = 0
    for item in items:
        size = size_of(item)
        if group and (len(group) == most or total + size > MAX_TOGETHER_BYTES):
            yield group
            group, total = [], 0
        group.append(item)
        total += size
    if group:
        yield group


def _size(difference: Difference) -> int:
    entries = (difference.before, difference.after)
    return sum(entry.size_bytes for entry in entries if entry is not None)
