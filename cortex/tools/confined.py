"""Files below one directory, reached by descriptors only: nothing leads out of it.

Every directory on the way is opened relative to the one above it and never through a symbolic
link, so that exchanging one for a link at any moment leads to a refusal and not elsewhere. A file
is replaced whole: written beside its place, synced, renamed. Blocking.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cortex.errors import ToolFailedError, ToolRefusedError
from cortex.tools.paths import is_temporary, shown, temporary_name

Parts = tuple[bytes, ...]
TEMPORARY_RANDOM_BYTES = 8
NEW_FILE_MODE = 0o644
NEW_DIRECTORY_MODE = 0o755
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symbolic link",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """What a directory holds under one name."""

    path: bytes
    kind: str
    """`file`, `directory`, `symbolic link`, `pipe`, `socket` or `device`."""
    size_bytes: int
    mode: int
    """Permission bits."""


class ConfinedDirectory:
    """A directory that is the whole world for those who use it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._identity: tuple[int, int] | None = None

    @contextmanager
    def open_file(self, tool: str, parts: Parts) -> Iterator[tuple[int, os.stat_result]]:
        """Open an ordinary file for reading; gives its descriptor and status.

        Raises:
            ToolRefusedError: it is no ordinary file, or lies behind a link.
            ToolFailedError: it does not exist or cannot be read.
        """
        with self._told(tool, parts), self._parent(tool, parts) as parent:
            descriptor = _open_regular(tool, parts, parent)
        try:
            yield descriptor, os.fstat(descriptor)
        finally:
            os.close(descriptor)

    def read_link(self, tool: str, parts: Parts) -> bytes:
        """Return where a symbolic link points to, without going there."""
        with self._told(tool, parts), self._parent(tool, parts) as parent:
            return os.fsencode(os.readlink(parts[-1], dir_fd=parent))

    def status(self, tool: str, parts: Parts) -> os.stat_result | None:
        """Return the status of what has this name, a link's own; None where nothing has.

        Raises:
            ToolRefusedError: the way there leads over a link.
        """
        try:
            with self._told(tool, parts), self._parent(tool, parts) as parent:
                return os.lstat(parts[-1], dir_fd=parent)
        except ToolFailedError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None
            raise

    def replace(self, tool: str, parts: Parts, content: bytes, mode: int) -> None:
        """Make the file hold `content`, whole or not at all; directories are made as needed.

        Raises:
            ToolRefusedError: what has this name is no ordinary file, or the way leads over a link.
            ToolFailedError: it cannot be written.
        """
        with self._told(tool, parts), self._parent(tool, parts, is_made=True) as parent:
            _check_replaceable(tool, parts, parent)
            temporary = temporary_name(os.urandom(TEMPORARY_RANDOM_BYTES))
            try:
                _write(parent, temporary, content, mode)
                os.replace(temporary, parts[-1], src_dir_fd=parent, dst_dir_fd=parent)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=parent)
                raise
            os.fsync(parent)

    def delete(self, tool: str, parts: Parts) -> None:
        """Remove a file or link, and the directories that are empty then.

        Raises:
            ToolFailedError: it does not exist, or cannot be removed.
        """
        with self._told(tool, parts), self._parent(tool, parts) as parent:
            os.unlink(parts[-1], dir_fd=parent)
            os.fsync(parent)
        self._prune(tool, parts[:-1])

    def move(self, tool: str, source: Parts, target: Parts) -> None:
        """Give a file or link another name; directories are made as needed.

        Raises:
            ToolRefusedError: something has the new name already.
            ToolFailedError: it cannot be moved.
        """
        with (
            self._told(tool, source),
            self._parent(tool, source) as old_parent,
            self._parent(tool, target, is_made=True) as new_parent,
        ):
            if _lstat(target[-1], new_parent) is not None:
                raise _refused(tool, target, "exists already: delete it first")
            os.rename(source[-1], target[-1], src_dir_fd=old_parent, dst_dir_fd=new_parent)
            os.fsync(new_parent)
            os.fsync(old_parent)
        self._prune(tool, source[:-1])

    def list(self, tool: str, parts: Parts) -> list[Listed]:
        """Return what lies in a directory, by name; links are not followed.

        Raises:
            ToolRefusedError: the way leads over a link.
            ToolFailedError: it does not exist, or is no directory.
        """
        with self._told(tool, parts), self._directory(tool, parts) as directory:
            found = [
                (os.fsencode(name), os.lstat(name, dir_fd=directory))
                for name in os.listdir(directory)
            ]
        return [
            Listed(
                b"/".join((*parts, name)),
                kind_of(status),
                status.st_size,
                stat.S_IMODE(status.st_mode),
            )
            for name, status in sorted(found)
            if not is_temporary(name)
        ]

    def _prune(self, tool: str, parts: Parts) -> None:
        """Remove directories from `parts` upwards as long as they are empty."""
        for depth in range(len(parts), 0, -1):
            try:
                with self._parent(tool, parts[:depth]) as parent:
                    os.rmdir(parts[depth - 1], dir_fd=parent)
            except (OSError, ToolRefusedError):
                return  # not empty, or no longer there: both fine

    @contextmanager
    def _parent(self, tool: str, parts: Parts, *, is_made: bool = False) -> Iterator[int]:
        with self._directory(tool, parts[:-1], is_made=is_made) as descriptor:
            yield descriptor

    @contextmanager
    def _directory(self, tool: str, parts: Parts, *, is_made: bool = False) -> Iterator[int]:
        """Open a directory part by part; gives its descriptor."""
        descriptor = self._open_root(tool)
        try:
            for count, part in enumerate(parts, start=1):
                below = _open_directory(tool, parts[:count], part, descriptor, is_made=is_made)
                os.close(descriptor)
                descriptor = below
            yield descriptor
        finally:
            os.close(descriptor)

    def _open_root(self, tool: str) -> int:
        descriptor = os.open(self._root, _DIRECTORY)
        status = os.fstat(descriptor)
        identity = status.st_dev, status.st_ino
        if self._identity is None:
            self._identity = identity
        if identity != self._identity:
            os.close(descriptor)
            raise ToolRefusedError(
                tool=tool,
                argument=str(self._root),
                rule="the workspace was exchanged for another directory",
            )
        return descriptor

    @contextmanager
    def _told(self, tool: str, parts: Parts) -> Iterator[None]:
        """Turn errors of the system into ours, with the name that was asked for."""
        try:
            yield
        except OSError as error:
            reason = f"{shown(b'/'.join(parts)) or '.'}: {error.strerror}"
            raise ToolFailedError(tool=tool, reason=reason) from error


def kind_of(status: os.stat_result) -> str:
    """Return what kind of thing has this status."""
    return _KINDS.get(stat.S_IFMT(status.st_mode), "unknown thing")


def _open_regular(tool: str, parts: Parts, parent: int) -> int:
    # Looked at before: opening some devices does something. Looked at after: it may be another.
    status = os.lstat(parts[-1], dir_fd=parent)
    _check_regular(tool, parts, status)
    try:
        descriptor = os.open(parts[-1], _READ, dir_fd=parent)
    except OSError:
        now = _lstat(parts[-1], parent)
        if now is not None:
            _check_regular(tool, parts, now)
        raise
    try:
        _check_regular(tool, parts, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check_regular(tool: str, parts: Parts, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _refused(tool, parts, f"is a {kind_of(status)}, no ordinary file")


def _check_replaceable(tool: str, parts: Parts, parent: int) -> None:
    status = _lstat(parts[-1], parent)
    if status is not None:
        _check_regular(tool, parts, status)


def _open_directory(tool: str, parts: Parts, name: bytes, above: int, *, is_made: bool) -> int:
    try:
        if is_made:
            with suppress(FileExistsError):
                os.mkdir(name, NEW_DIRECTORY_MODE, dir_fd=above)
        return os.open(name, _DIRECTORY, dir_fd=above)
    except OSError as error:
        if error.errno not in (errno.ENOTDIR, errno.ELOOP):
            raise
        status = _lstat(name, above)
        is_other = status is not None and not stat.S_ISDIR(status.st_mode)
        # By now it may be a directory again: what it was decides.
        what = f"is a {kind_of(status)}" if status is not None and is_other else "was exchanged"
        raise _refused(tool, parts, f"{what}, no directory") from error


def _write(parent: int, name: bytes, content: bytes, mode: int) -> None:
    descriptor = os.open(name, _CREATE, 0o600, dir_fd=parent)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        view = memoryview(content)
        while view:
            view = view[file.write(view) :]
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)


def _lstat(name: bytes, parent: int) -> os.stat_result | None:
    try:
        return os.lstat(name, dir_fd=parent)
    except FileNotFoundError:
        return None


def _refused(tool: str, parts: Parts, rule: str) -> ToolRefusedError:
    return ToolRefusedError(tool=tool, argument=shown(b"/".join(parts)), rule=rule)
