"""Files of a workspace, as agents read and change them: each call and each change is an event.

Names are checked by `paths`, reached by `confined`; what was changed from outside since the last
look is told before what a call changes.
"""

import asyncio
import os
import stat
from collections.abc import Callable, Sequence

from cortex.engine.manifest import ManifestEntry
from cortex.errors import ToolRefusedError
from cortex.tools.comparison import Manifest, compare
from cortex.tools.config import FileLimits
from cortex.tools.confined import NEW_FILE_MODE, ConfinedDirectory, Listed, Parts, kind_of
from cortex.tools.finishing import unbroken
from cortex.tools.paths import GIT_DIRECTORY, PathLike, parse_directory, parse_path, shown
from cortex.tools.recording import ToolCall, ToolRecorder, shortened
from cortex.tools.snapshot import MAX_FILE_BYTES
from cortex.tools.workspace import OUTSIDE, Workspace
from nervous_system.changes import SYMLINK_MODE, digest_of
from nervous_system.options import Causes

PERMISSIONS = 0o777


class FileSystem:
    """The files of one workspace, for one agent."""

    def __init__(
        self, workspace: Workspace, recorder: ToolRecorder, limits: FileLimits | None = None
    ) -> None:
        self._workspace = workspace
        self._recorder = recorder
        self._limits = limits or FileLimits()
        self._directory = ConfinedDirectory(workspace.root)

    async def read(self, path: PathLike, *, caused_by: Causes = ()) -> bytes:
        """Return a file's content.

        Raises:
            ToolRefusedError: the name leads outside, or to no ordinary file, or it is too large.
            ToolFailedError: it does not exist or cannot be read.
        """
        tool = "read_file"
        arguments = {"path": _named(path)}
        async with (
            self._workspace.lock,
            self._recorder.call(tool, arguments, caused_by=caused_by) as call,
        ):
            parts = parse_path(tool, path)
            content = await unbroken(asyncio.to_thread(self._read, tool, parts))
            call.set_result(_facts(content))
            return content

    async def list(self, path: PathLike = ".", *, caused_by: Causes = ()) -> Sequence[Listed]:
        """Return what lies in a directory, sorted by name; links are shown, not followed.

        Raises:
            ToolRefusedError: the name leads outside.
            ToolFailedError: it does not exist, or is no directory.
        """
        tool = "list_files"
        arguments = {"path": _named(path)}
        async with (
            self._workspace.lock,
            self._recorder.call(tool, arguments, caused_by=caused_by) as call,
        ):
            parts = parse_directory(tool, path)
            found = await unbroken(asyncio.to_thread(self._directory.list, tool, parts))
            listed = [one for one in found if one.path != GIT_DIRECTORY]
            call.set_result(f"{len(listed)} entries")
            return listed

    async def write(
        self,
        path: PathLike,
        content: bytes | str,
        *,
        mode: int | None = None,
        caused_by: Causes = (),
    ) -> None:
        """Make a file hold `content`, whole or not at all.

        Args:
            path: name within the workspace; directories are made as needed.
            content: text is written as UTF-8.
            mode: permission bits; None: as they are, and 0o644 for a new file.
            caused_by: what led to it.

        Raises:
            ToolRefusedError: the name leads outside, or to no ordinary file, or it is too large.
            ToolFailedError: it cannot be written.
        """
        data = content.encode() if isinstance(content, str) else content
        arguments = {"path": _named(path), "content": _facts(data)}
        if mode is not None:
            arguments["mode"] = f"{mode:o}"

        def write(tool: str, parts: Parts) -> str:
            self._check_size(tool, parts, len(data))
            self._directory.replace(tool, parts, data, self._mode(tool, parts, mode))
            return _facts(data)

        await self._change_one("write_file", path, arguments, write, caused_by)

    async def edit(self, path: PathLike, old: str, new: str, *, caused_by: Causes = ()) -> None:
        """Replace a text that stands in a file exactly once.

        Raises:
            ToolRefusedError: it stands there never or several times, or the name leads outside.
            ToolFailedError: the file does not exist or cannot be written.
        """
        arguments = {"path": _named(path), "old": shortened(old), "new": shortened(new)}

        def edit(tool: str, parts: Parts) -> str:
            content = self._read(tool, parts)
            edited = _replace_once(tool, content, old.encode(), new.encode())
            self._check_size(tool, parts, len(edited))
            self._directory.replace(tool, parts, edited, self._mode(tool, parts, None))
            return _facts(edited)

        await self._change_one("edit_file", path, arguments, edit, caused_by)

    async def delete(self, path: PathLike, *, caused_by: Causes = ()) -> None:
        """Delete a file or a symbolic link, and the directories that are empty then.

        Raises:
            ToolRefusedError: the name leads outside, or is no file.
            ToolFailedError: it does not exist or cannot be deleted.
        """

        def delete(tool: str, parts: Parts) -> str:
            self._directory.delete(tool, parts)
            return "deleted"

        await self._change_one("delete_file", path, {"path": _named(path)}, delete, caused_by)

    async def set_executable(
        self, path: PathLike, *, is_executable: bool = True, caused_by: Causes = ()
    ) -> None:
        """Let those who may read a file execute it, or nobody.

        Raises:
            ToolRefusedError: the name leads outside, or to no ordinary file, or it is too large.
            ToolFailedError: it does not exist or cannot be written.
        """
        arguments = {"path": _named(path), "is_executable": is_executable}

        def set_executable(tool: str, parts: Parts) -> str:
            content = self._read(tool, parts)
            readable = self._mode(tool, parts, None) & ~0o111
            mode = readable | (readable & 0o444) >> 2 if is_executable else readable
            # Written anew: another name of the same file may lie outside.
            self._directory.replace(tool, parts, content, mode)
            return f"mode {mode:o}"

        await self._change_one("set_executable", path, arguments, set_executable, caused_by)

    async def move(self, source: PathLike, target: PathLike, *, caused_by: Causes = ()) -> None:
        """Give a file or a symbolic link another name; nothing may have that yet.

        Raises:
            ToolRefusedError: a name leads outside, or the new one is taken.
            ToolFailedError: the file does not exist or cannot be moved.
        """
        tool = "move_file"
        arguments = {"source": _named(source), "target": _named(target)}
        async with (
            self._workspace.lock,
            self._recorder.call(tool, arguments, caused_by=caused_by) as call,
        ):
            old, new = parse_path(tool, source), parse_path(tool, target)

            def move() -> str:
                self._directory.move(tool, old, new)
                return f"{shown(b'/'.join(old))} is {shown(b'/'.join(new))}"

            await unbroken(asyncio.to_thread(self._change, call, [old, new], move))

    async def _change_one(
        self,
        tool: str,
        path: PathLike,
        arguments: dict[str, object] | dict[str, str],
        action: Callable[[str, Parts], str],
        caused_by: Causes,
    ) -> None:
        async with (
            self._workspace.lock,
            self._recorder.call(tool, arguments, caused_by=caused_by) as call,
        ):
            parts = parse_path(tool, path)
            work = asyncio.to_thread(self._change, call, [parts], lambda: action(tool, parts))
            await unbroken(work)

    def _change(self, call: ToolCall, names: Sequence[Parts], action: Callable[[], str]) -> None:
        """Do something to the files of these names, and see to it that all of it is told."""
        before = self._entries(call.tool, names)
        told = {
            path: entry for path in _paths(names) if (entry := self._workspace.manifest.get(path))
        }
        self._tell_later(call, told, before, OUTSIDE)
        try:
            call.set_result(action())
        finally:
            self._tell_later(call, before, self._entries(call.tool, names), None)

    def _tell_later(
        self, call: ToolCall, before: Manifest, after: Manifest, attributes: dict[str, str] | None
    ) -> None:
        differences = compare(before, after)

        async def tell(cause: Causes) -> None:
            await self._workspace.record(
                self._recorder,
                differences,
                caused_by=cause if attributes is None else (),
                attributes=attributes,
            )

        if differences:
            call.then(tell)

    def _entries(self, tool: str, names: Sequence[Parts]) -> dict[bytes, ManifestEntry]:
        found = [self._entry(tool, parts) for parts in names]
        return {entry.path: entry for entry in found if entry is not None}

    def _entry(self, tool: str, parts: Parts) -> ManifestEntry | None:
        """Return what has this name now, its content kept; None where nothing has.

        Raises:
            ToolRefusedError: it is neither file nor link.
        """
        path = b"/".join(parts)
        status = self._directory.status(tool, parts)
        if status is None:
            return None
        contents = self._workspace.contents
        if stat.S_ISLNK(status.st_mode):
            target = self._directory.read_link(tool, parts)
            return ManifestEntry(
                path=path, mode=SYMLINK_MODE, digest=contents.keep(target), size_bytes=len(target)
            )
        with self._directory.open_file(tool, parts) as (descriptor, found):
            digest, size = contents.keep_open_file(descriptor, max_bytes=MAX_FILE_BYTES)
            mode = stat.S_IMODE(found.st_mode)
        return ManifestEntry(path=path, mode=mode, digest=digest, size_bytes=size)

    def _read(self, tool: str, parts: Parts) -> bytes:
        limit = self._limits.read_bytes
        with (
            self._directory.open_file(tool, parts) as (descriptor, _),
            open(descriptor, "rb", closefd=False) as file,
        ):
            content = file.read(limit + 1)
        if len(content) > limit:
            raise ToolRefusedError(
                tool=tool,
                argument=shown(b"/".join(parts)),
                rule=f"larger than the {limit} bytes that are read at most",
            )
        return content

    def _check_size(self, tool: str, parts: Parts, size: int) -> None:
        limit = self._limits.write_bytes
        if size > limit:
            raise ToolRefusedError(
                tool=tool,
                argument=shown(b"/".join(parts)),
                rule=f"{size} bytes, at most {limit} are written",
            )

    def _mode(self, tool: str, parts: Parts, given: int | None) -> int:
        if given is not None:
            return given & PERMISSIONS
        status = self._directory.status(tool, parts)
        if status is None:
            return NEW_FILE_MODE
        if not stat.S_ISREG(status.st_mode):
            rule = f"is a {kind_of(status)}, no ordinary file"
            raise ToolRefusedError(tool=tool, argument=shown(b"/".join(parts)), rule=rule)
        return stat.S_IMODE(status.st_mode) & PERMISSIONS


def _paths(names: Sequence[Parts]) -> list[bytes]:
    return [b"/".join(parts) for parts in names]


def _named(path: PathLike) -> str:
    """Return a name as an event's argument shows it, also one that is refused."""
    raw = os.fspath(path)
    return shown(raw) if isinstance(raw, bytes) else raw


def _facts(content: bytes) -> str:
    return f"{len(content)} bytes, sha256 {digest_of(content)}"


def _replace_once(tool: str, content: bytes, old: bytes, new: bytes) -> bytes:
    count = content.count(old) if old else 0
    if count == 1:
        return content.replace(old, new)
    rule = (
        "does not stand in the file"
        if not count
        else f"stands there {count} times: give more of what surrounds it"
    )
    raise ToolRefusedError(tool=tool, argument=shown(old[:80]), rule=rule)
