"""Makes a commit of a plan's files on a new branch; checkout, index and other branches stay.

Everything goes through `git fast-import`, which runs no hooks and takes content of any size as it
comes. The branch appears at the very end, or not at all.
"""

import asyncio
import os
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cortex.engine.content_source import ContentSource
from cortex.engine.restore_plan import PlannedFile, groups, is_small
from cortex.errors import RepositoryError, RestoreRefusedError
from nervous_system.errors import ContentMissingError

STREAMED_BYTES = 8 * 1024 * 1024
"""Contents above this size git takes as they come, without holding them."""
AUTHOR = b"Enchanted Swarm <swarm@localhost>"
_SAFE = (
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "gc.auto=0"),
)
"""Neither hooks nor programs that the repository's configuration names are run."""
_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchCommit:
    """What the new branch begins with."""

    branch: str
    base_commit: str
    """Its parent, where the repository has it; empty: none."""
    message: str
    time_s: int
    """Seconds since 1970."""
    removed: Sequence[bytes] | None = None
    """Files that are not taken over from the parent; None: nothing is taken over."""


class Branches:
    """Branches of one repository."""

    def __init__(self, repository: Path) -> None:
        self._repository = repository

    async def check_new(self, branch: str) -> None:
        """Return if a branch of this name can be made.

        Raises:
            RepositoryError: there is no repository.
            RestoreRefusedError: there is such a branch, or no branch can have that name.
        """
        code, _, error = await self._git("rev-parse", "--git-dir")
        if code:
            raise RepositoryError(
                path=str(self._repository),
                reason=error.splitlines()[0] if error else "not a git repository",
                fix="name one with --repo",
            )
        code, _, _ = await self._git("check-ref-format", "--branch", branch)
        if code:
            raise RestoreRefusedError(
                place=f"branch {branch!r}", reason="git takes no such name", fix="choose another"
            )
        code, _, _ = await self._git("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}")
        if not code:
            raise RestoreRefusedError(
                place=f"branch {branch}", reason="it exists already", fix="choose another name"
            )

    async def has_commit(self, commit: str) -> bool:
        """Return whether the repository holds a commit."""
        code, _, _ = await self._git("cat-file", "-e", f"{commit}^{{commit}}")
        return code == 0

    async def commit(
        self, wanted: BranchCommit, files: Sequence[PlannedFile], contents: ContentSource
    ) -> str:
        """Make the branch with one commit that holds exactly `files`; return the commit's id.

        Raises:
            ContentMissingError: a content is damaged; there is no branch then.
            RepositoryError: git refused.
        """
        process = await asyncio.create_subprocess_exec(
            *("git", *_SAFE, "-C", str(self._repository), "fast-import", "--quiet", "--done"),
            f"--big-file-threshold={STREAMED_BYTES}",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **_ENVIRONMENT},
        )
        try:
            await self._import(process, wanted, files, contents)
        except BaseException:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        _, commit, _ = await self._git("rev-parse", f"refs/heads/{wanted.branch}")
        return commit.strip()

    async def _import(
        self,
        process: asyncio.subprocess.Process,
        wanted: BranchCommit,
        files: Sequence[PlannedFile],
        contents: ContentSource,
    ) -> None:
        if process.stdin is None or process.stderr is None:
            raise TypeError("git was started without pipes")
        errors = asyncio.create_task(process.stderr.read())
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # git says why, below
                await _feed(process.stdin, wanted, files, contents)
            process.stdin.close()
            text = (await errors).decode(errors="replace")
        finally:
            errors.cancel()
        if await process.wait():
            reason = next(iter(text.splitlines()), "it was refused")
            raise RepositoryError(
                path=str(self._repository), reason=reason, fix="nothing was changed"
            )

    async def _git(self, *arguments: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            *("git", *_SAFE, "-C", str(self._repository), *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **_ENVIRONMENT},
        )
        out, error = await process.communicate()
        return process.returncode or 0, out.decode(errors="replace"), error.decode(errors="replace")


async def _feed(
    pipe: asyncio.StreamWriter,
    wanted: BranchCommit,
    files: Sequence[PlannedFile],
    contents: ContentSource,
) -> None:
    pipe.write(_head(wanted))
    for group in groups(files):
        small = await contents.get_small([file.digest for file in group if is_small(file)])
        for file in group:
            pipe.write(_file_head(file))
            if is_small(file):
                pipe.write(_whole(file, small))
            else:
                await _stream(pipe, file, contents)
            pipe.write(b"\n")
            await pipe.drain()
    pipe.write(b"done\n")
    await pipe.drain()


def _head(wanted: BranchCommit) -> bytes:
    message = wanted.message.encode()
    signature = b"%s %d +0000" % (AUTHOR, wanted.time_s)
    base = f"from {wanted.base_commit}\n".encode() if wanted.base_commit else b""
    head = b"commit refs/heads/%s\nauthor %s\ncommitter %s\ndata %d\n%s\n%s" % (
        wanted.branch.encode(),
        signature,
        signature,
        len(message),
        message,
        base,
    )
    if wanted.removed is None:
        return head + b"deleteall\n"
    return head + b"".join(b"D %s\n" % _quoted(path) for path in wanted.removed)


def _file_head(file: PlannedFile) -> bytes:
    return b"M %s inline %s\ndata %d\n" % (_mode(file), _quoted(file.path), file.size_bytes)


def _whole(file: PlannedFile, small: Mapping[str, bytes]) -> bytes:
    if file.digest not in small:
        raise ContentMissingError(digest=file.digest)
    return small[file.digest]


async def _stream(pipe: asyncio.StreamWriter, file: PlannedFile, contents: ContentSource) -> None:
    """Write a large content; where it turns out damaged, the import is given up as a whole."""
    digest = sha256()
    async for piece in contents.pieces(file.digest):
        digest.update(piece)
        pipe.write(piece)
        await pipe.drain()
    if digest.hexdigest() != file.digest:
        raise ContentMissingError(digest=file.digest)


def _mode(file: PlannedFile) -> bytes:
    if stat.S_ISLNK(file.mode):
        return b"120000"
    return b"100755" if file.mode & stat.S_IXUSR else b"100644"


def _quoted(path: bytes) -> bytes:
    """Return a path in C-style quotes, as fast-import takes any bytes."""
    escaped = b"".join(
        bytes([byte]) if 32 <= byte < 127 and byte not in b'"\\' else b"\\%03o" % byte
        for byte in path
    )
    return b'"' + escaped + b'"'
