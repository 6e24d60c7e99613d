"""A workspace whose edits are recorded through the SDK, and its files as they were at each."""

from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cortex.engine.manifest import ManifestEntry, format_manifest
from nervous_system import events
from nervous_system.agent import Agent
from nervous_system.comms.contracts import ContentStore

Files = dict[bytes, tuple[bytes, int]]
"""Content and mode by name."""


@dataclass(slots=True)
class Recorded:
    """Edits of one workspace, each an event."""

    agent: Agent
    workspace_id: str
    files: Files = field(default_factory=dict)
    moments: dict[str, Files] = field(default_factory=dict)
    """What the files were, by event id."""

    async def begin(self, store: ContentStore, **created: str) -> str:
        """Record the present files as what the workspace starts from."""
        entries = [
            ManifestEntry(
                path=name, mode=mode, digest=await store.put(content), size_bytes=len(content)
            )
            for name, (content, mode) in self.files.items()
        ]
        digest = await store.put(format_manifest(entries))
        payload = events.workspace_created(self.workspace_id, manifest_digest=digest, **created)
        receipt = await self.agent.emit(payload, workspace_id=self.workspace_id)
        return self._note(receipt.event_id)

    async def write(
        self, name: bytes, content: bytes, mode: int = 0o644, *, caused_by: tuple[str, ...] = ()
    ) -> str:
        before = self.files.get(name)
        self.files[name] = (content, mode)
        return await self._record(name, before, caused_by=caused_by)

    async def rename(self, old: bytes, new: bytes) -> str:
        before = self.files.pop(old)
        self.files[new] = before
        return await self._record(new, before, renamed_from=old)

    async def delete(self, name: bytes) -> str:
        return await self._record(name, self.files.pop(name))

    async def _record(
        self,
        name: bytes,
        before: tuple[bytes, int] | None,
        *,
        renamed_from: bytes | None = None,
        caused_by: tuple[str, ...] = (),
    ) -> str:
        after = self.files.get(name)
        receipt = await self.agent.change_file(
            name,
            before=before[0] if before else None,
            after=after[0] if after else None,
            mode=after[1] if after else 0,
            renamed_from=renamed_from,
            workspace_id=self.workspace_id,
            caused_by=caused_by,
            wait=True,
        )
        return self._note(receipt.event_id)

    def _note(self, event_id: str) -> str:
        self.moments[event_id] = dict(self.files)
        return event_id


def files_below(root: Path) -> Files:
    """Return every file of a directory."""
    base = bytes(root)
    return {
        bytes(path)[len(base) + 1 :]: (path.read_bytes(), path.stat().st_mode & 0o7777)
        for path in root.rglob("*")
        if path.is_file()
    }


def digest_of(content: bytes) -> str:
    return sha256(content).hexdigest()
