"""The history of one busy workspace: files of a manifest, then changes among everything else.

Every state change belongs to the one workspace and follows its file's state before, so that chains
are whole; some files are deleted and come back, some are renamed. Decisions and signals stand
between the changes as in `Corpus`.
"""

from collections.abc import Iterator
from hashlib import sha256
from random import Random

from cortex.cli.bench.corpus import Corpus, Made
from cortex.engine.manifest import ManifestEntry, format_manifest
from nervous_system.payloads import workspace_created
from nervous_system.schemas import SwarmEvent

WORKSPACE = "bench-workspace"
FILES = 2_000
RENAMED = 0.005
"""Share of the changes that rename a file."""
DELETED = 0.005
"""Share of the changes that delete a file, which its next change brings back."""


class WorkspaceCorpus(Corpus):
    """As `Corpus`; its events are those of one workspace, which starts from a manifest."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__(seed)
        self._draw = Random(seed)  # noqa: S311 - test data, not secrets
        self.names = [f"src/package_{n % 40}/module_{n}.py" for n in range(FILES)]
        self.digests = [sha256(name.encode()).hexdigest() for name in self.names]

    def manifest(self) -> bytes:
        """Return the manifest of the files as they are now."""
        return format_manifest(
            ManifestEntry(path=name.encode(), mode=0o644, digest=digest, size_bytes=len(name))
            for name, digest in zip(self.names, self.digests, strict=True)
            if digest
        )

    def history(self, count: int) -> Iterator[Made]:
        """Yield `count` events, the first of which creates the workspace."""
        event = self._envelope()
        digest = sha256(self.manifest()).hexdigest()
        event.workspace_created.CopyFrom(workspace_created(WORKSPACE, manifest_digest=digest))
        yield self._finish(event, "workspace_created")
        yield from self.mixed(count - 1)

    def _envelope(self) -> SwarmEvent:
        event = super()._envelope()
        event.workspace_id = WORKSPACE
        return event

    def _state_change(self) -> SwarmEvent:
        event = super()._state_change()
        change = event.state_change
        number, kind = self._draw.randrange(FILES), self._draw.random()
        change.previous_state_hash = self.digests[number]
        if kind < DELETED and self.digests[number]:
            change.new_state_hash, change.mode, change.size_bytes = "", 0, 0
        elif kind < DELETED + RENAMED and self.digests[number]:
            change.renamed_from = self.names[number]
            self.names[number] = f"src/package_{number % 40}/moved_{event.event_id[:8]}.py"
        change.target_resource = self.names[number]
        self.digests[number] = change.new_state_hash
        return event
