"""Results that agents store for each other: any size, under a name, in versions.

The content lies on the bus in pieces, each under the SHA-256 of its bytes, until history has it;
what is larger than a piece has a list of its pieces, a content itself. Equal pieces are stored
once. A version is one event that names the digest of the whole; a download is checked against it.
Whoever was lost in the middle of an upload has stored nothing under the name.
"""

import asyncio
import errno
import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from cortex.coordination import places
from cortex.coordination.causes import Causes
from cortex.coordination.errors import (
    ArtifactDamagedError,
    ArtifactMissingError,
    BusyError,
)
from cortex.coordination.log import Entry, SharedLog
from cortex.coordination.names import artifact_name, step_name
from nervous_system import events
from nervous_system.comms.contracts import ContentStore
from nervous_system.errors import ContentMissingError, WrongSequenceError

PIECE_BYTES = 4 * 1024 * 1024
PIECES_LABEL = "pieces"
"""Attribute of the event: digest of the list of pieces, where there is more than one."""
UNDER_WAY = 4
"""Pieces in memory at the same time."""
DIGEST_LENGTH = 64
TRIES = 50
Progress = Callable[[int], None]
"""Gets the bytes that are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One version of an artifact."""

    name: str
    version: int
    digest: str
    """Hex SHA-256 of the content."""
    size_bytes: int
    step: str
    agent: str
    """Who stored it, as the bus has it."""
    pieces: str
    """Digest of the list of pieces; empty: it is a single piece."""
    at: datetime | None
    """When the server stored it, UTC; None right after storing."""
    event_id: str
    sequence: int


class Artifacts:
    """The artifacts of one project, for one agent."""

    def __init__(self, log: SharedLog, contents: ContentStore, causes: Causes) -> None:
        self._log = log
        self._contents = contents
        self._causes = causes
        self._project = log.author.project

    async def upload(
        self,
        path: Path,
        *,
        name: str = "",
        step: str = "",
        because: Iterable[str] = (),
        progress: Progress | None = None,
    ) -> Artifact:
        """Store a file as the next version of an artifact.

        Args:
            path: the file; it is read once, piece by piece.
            name: of the artifact; by default the file's.
            step: what it came out of; by default the project.
            because: ids of the events that led to it.
            progress: told how far it is.

        Raises:
            OSError: the file cannot be read.
            NameRefusedError: no artifact can be called so.
        """
        called = artifact_name(name or path.name)
        about = step_name(step) if step else ""
        content = await self._store(path, progress or _nothing)
        return await self._publish(called, about, content, self._causes.for_next(because))

    async def list(self, *, step: str | None = None, name: str = "") -> list[Artifact]:
        """Return the versions of artifacts, oldest first: all, of a step, or of a name.

        Raises:
            BusUnavailableError: the bus is away.
        """
        pattern = places.whole(places.ARTIFACT, self._project)
        if name:
            pattern = places.thing(places.ARTIFACT, self._project, artifact_name(name))
        found = [read_artifact(entry) for entry in await self._log.all(pattern)]
        wanted = None if step is None else step and step_name(step)
        return [one for one in found if one and (wanted is None or one.step == wanted)]

    async def find(self, name: str, version: int = 0) -> Artifact:
        """Return the newest version of an artifact, or the one that is asked for.

        Raises:
            ArtifactMissingError: there is none.
        """
        versions = await self.list(name=name)
        wanted = [one for one in versions if version in {0, one.version}]
        if not wanted:
            raise ArtifactMissingError(name=name, version=version)
        return wanted[-1]

    async def download(
        self,
        name: str,
        target: Path,
        *,
        version: int = 0,
        replace: bool = False,
        progress: Progress | None = None,
    ) -> Artifact:
        """Write an artifact to a file, which is there whole and checked or not at all.

        Args:
            name: of the artifact.
            target: the file.
            version: which one; 0: the newest.
            replace: put it in the place of a file that is there.
            progress: told how far it is.

        Raises:
            ArtifactMissingError: there is none, or its content is out of reach.
            ArtifactDamagedError: the content is not what was stored.
            FileExistsError: there is a file, and `replace` is not set.
            OSError: the file cannot be written.
        """
        found = await self.find(name, version)
        if not replace and await asyncio.to_thread(target.exists):
            raise _there_is(target)
        temporary = target.with_name(f".{target.name[:60]}.{os.getpid()}.{secrets.token_hex(4)}")
        file = await asyncio.to_thread(temporary.open, "xb")
        try:
            with file:
                await self._write(found, file, progress or _nothing)
            await asyncio.to_thread(_put_in_place, temporary, target, replace)
        finally:
            with suppress(FileNotFoundError):
                temporary.unlink()
        return found

    async def content(self, artifact: Artifact) -> AsyncIterator[bytes]:
        """Yield the content piece by piece; the caller checks the digest of the whole.

        Raises:
            ArtifactMissingError: a piece is out of reach.
        """
        digests = [artifact.digest]
        if artifact.pieces:
            listed = (await self._get(artifact, artifact.pieces)).decode("ascii", "replace")
            digests = [
                listed[at : at + DIGEST_LENGTH] for at in range(0, len(listed), DIGEST_LENGTH)
            ]
        for digest in digests:
            yield await self._get(artifact, digest)

    async def _get(self, artifact: Artifact, digest: str) -> bytes:
        try:
            return await self._contents.get(digest)
        except ContentMissingError as error:
            raise ArtifactMissingError(
                name=artifact.name,
                version=artifact.version,
                reason="its content is neither on the bus nor in a history that can be reached"
                " from here: `swarm status` says whether one runs",
            ) from error

    async def _write(self, artifact: Artifact, file: BinaryIO, progress: Progress) -> None:
        whole, done = sha256(), 0
        async for piece in self.content(artifact):
            await asyncio.to_thread(_append, file, whole.update, piece)
            done += len(piece)
            progress(done)
        if whole.hexdigest() != artifact.digest:
            raise ArtifactDamagedError(
                name=artifact.name, expected=artifact.digest, found=whole.hexdigest()
            )
        await asyncio.to_thread(_sync, file)

    async def _store(self, path: Path, progress: Progress) -> "_Stored":
        """Put a file's pieces on the bus, several at a time, and then the list of them."""
        whole, digests, size = sha256(), [], 0
        with await asyncio.to_thread(path.open, "rb") as file:
            while True:
                pieces = await asyncio.to_thread(_read_pieces, file, whole.update)
                if not pieces:
                    break
                digests += await asyncio.gather(*map(self._contents.put, pieces))
                size += sum(map(len, pieces))
                progress(size)
        if not digests:
            digests = [await self._contents.put(b"")]
        listed = ""
        if len(digests) > 1:
            listed = await self._contents.put("".join(digests).encode())
        return _Stored(whole.hexdigest(), size, listed)

    async def _publish(
        self, name: str, step: str, content: "_Stored", because: Iterable[str]
    ) -> Artifact:
        pattern = places.thing(places.ARTIFACT, self._project, name)
        labels = {PIECES_LABEL: content.pieces} if content.pieces else {}
        for _ in range(TRIES):
            before, sequence = await self._log.newest_read(pattern, read_artifact)
            version = before.version + 1 if before else 1
            payload = events.artifact_stored(
                name, digest=content.digest, size_bytes=content.size_bytes, version=version,
                step=step,
            )  # fmt: skip
            try:
                written = await self._log.write(
                    payload, pattern, sequence, because=because, labels=labels
                )
            except WrongSequenceError:  # another version was stored meanwhile
                continue
            return Artifact(
                name=name,
                version=version,
                digest=content.digest,
                size_bytes=content.size_bytes,
                step=step,
                agent=self._log.author.agent,
                pieces=content.pieces,
                at=None,
                event_id=written.event_id,
                sequence=written.sequence,
            )
        raise BusyError(what=f"artifact {name!r}", tries=TRIES)


@dataclass(frozen=True, slots=True)
class _Stored:
    """A content on the bus."""

    digest: str
    size_bytes: int
    pieces: str


def read_artifact(entry: Entry) -> Artifact | None:
    """Return the version that a message stores; None where it stores none."""
    names = places.parse(entry.subject, places.ARTIFACT)
    if names is None or len(names) != 2 or entry.event is None:
        return None
    said = entry.event.artifact_stored
    is_stored = entry.event.WhichOneof("payload") == "artifact_stored"
    if not is_stored or said.artifact_name != names[0]:
        return None
    return Artifact(
        name=names[0],
        version=said.artifact_version,
        digest=said.artifact_digest,
        size_bytes=said.artifact_size_bytes,
        step=said.artifact_step,
        agent=entry.agent,
        pieces=entry.event.attributes.get(PIECES_LABEL, ""),
        at=entry.at,
        event_id=entry.event.event_id,
        sequence=entry.sequence,
    )


def _read_pieces(file: BinaryIO, update: Callable[[bytes], object]) -> list[bytes]:
    pieces: list[bytes] = []
    while len(pieces) < UNDER_WAY and (piece := file.read(PIECE_BYTES)):
        update(piece)
        pieces.append(piece)
    return pieces


def _append(file: BinaryIO, update: Callable[[bytes], object], piece: bytes) -> None:
    update(piece)
    file.write(piece)


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _put_in_place(temporary: Path, target: Path, replace: bool) -> None:
    if replace:
        temporary.replace(target)
        return
    try:
        os.link(temporary, target)
    except FileExistsError as error:
        raise _there_is(target) from error


def _there_is(target: Path) -> FileExistsError:
    reason = "there is a file already, give --output or --force"
    return FileExistsError(errno.EEXIST, reason, str(target))


def _nothing(done: int) -> None:
    del done
