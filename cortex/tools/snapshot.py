"""The state of a workspace: every file's digest and mode, read anew only where it may have changed.

A file is taken to be unchanged when its inode, size, mode and times are those of the last time. The
kernel's clock for file times moves in steps; what was changed within the last steps before it was
read could change again without showing, and is read again the next time. Blocking: for a thread of
its own, and for moments in which nothing writes.
"""

import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from cortex.engine.manifest import ManifestEntry
from cortex.errors import ToolFailedError
from cortex.tools.contents import Contents
from cortex.tools.opening import opened
from cortex.tools.paths import GIT_DIRECTORY, MAX_DEPTH, is_temporary, shown
from nervous_system.changes import SYMLINK_MODE

MAX_FILES = 500_000
MAX_FILE_BYTES = 1024 * 1024 * 1024
TICK_NS = 30_000_000
"""More than a step of the kernel's clock: 10 ms at most on Linux."""
COARSE_TICK_NS = 2_500_000_000
"""More than a step where a file system keeps whole seconds only, or every other."""
_SECOND_NS = 1_000_000_000
_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

Identity = tuple[int, int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a workspace held at one moment."""

    files: dict[bytes, ManifestEntry]
    """By name."""
    skipped: tuple[bytes, ...]
    """Names of what is neither file, link nor directory: it is not recorded."""


@dataclass(slots=True)
class _Known:
    identity: Identity
    entry: ManifestEntry
    is_settled: bool
    """Another change would show in the times."""


class Snapshotter:
    """Takes snapshots of one directory and remembers what it read; not safe in several threads."""

    def __init__(self, root: Path, contents: Contents) -> None:
        self._root = root
        self._contents = contents
        self._known: dict[bytes, _Known] = {}

    def take(self) -> Snapshot:
        """Return the present state; every content in it is kept.

        Raises:
            ToolFailedError: there are too many files, or one is too large or cannot be read.
        """
        walk = _Walk(self._contents, self._known)
        try:
            walk.enter(self._root)
        except OSError as error:
            where = error.filename
            name = shown(os.fsencode(where)) if isinstance(where, str | bytes) else self._root
            raise ToolFailedError(
                tool="snapshot", reason=f"{name} cannot be read: {error.strerror}"
            ) from error
        self._known = walk.seen
        files = {path: known.entry for path, known in walk.seen.items()}
        return Snapshot(files, tuple(sorted(walk.skipped)))


class _Walk:
    """One walk through the tree; every directory is opened relative to the one above it."""

    def __init__(self, contents: Contents, known: dict[bytes, _Known]) -> None:
        self.seen: dict[bytes, _Known] = {}
        self.skipped: list[bytes] = []
        self._contents = contents
        self._known = known
        # Read before any file: a change while a file is read must show the next time, too.
        self._started_ns = time.time_ns()

    def enter(self, root: Path) -> None:
        """Go through everything below `root`."""
        descriptor = os.open(root, _OPEN_DIRECTORY)
        try:
            self._directory(descriptor, b"", 1)
        finally:
            os.close(descriptor)

    def _directory(self, descriptor: int, prefix: bytes, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise ToolFailedError(
                tool="snapshot", reason=f"directories more than {MAX_DEPTH} deep at {prefix[:80]!r}"
            )
        known, seen = self._known, self.seen
        with os.scandir(descriptor) as entries:
            for found in entries:
                name = os.fsencode(found.name)
                path = prefix + name
                status = found.stat(follow_symlinks=False)
                identity = _identity(status)
                before = known.get(path)
                if before is not None and before.is_settled and before.identity == identity:
                    seen[path] = before
                elif stat.S_ISDIR(status.st_mode):
                    self._subdirectory(descriptor, found.name, path, depth)
                elif not is_temporary(name) and path != GIT_DIRECTORY:
                    self._file(descriptor, found.name, path, status)

    def _subdirectory(self, parent: int, name: str, path: bytes, depth: int) -> None:
        if path == GIT_DIRECTORY:
            return
        with opened(name, _OPEN_DIRECTORY, parent) as descriptor:
            self._directory(descriptor, path + b"/", depth + 1)

    def _file(self, parent: int, name: str, path: bytes, status: os.stat_result) -> None:
        if len(self.seen) >= MAX_FILES:
            raise ToolFailedError(tool="snapshot", reason=f"more than {MAX_FILES} files")
        if stat.S_ISLNK(status.st_mode):
            self._keep(path, status, self._link(parent, name, path))
        elif stat.S_ISREG(status.st_mode):
            self._regular(parent, name, path, stat.S_IMODE(status.st_mode))
        else:
            self.skipped.append(path)

    def _link(self, parent: int, name: str, path: bytes) -> ManifestEntry:
        target = os.fsencode(os.readlink(name, dir_fd=parent))
        digest = self._contents.keep(target)
        return ManifestEntry(path=path, mode=SYMLINK_MODE, digest=digest, size_bytes=len(target))

    def _regular(self, parent: int, name: str, path: bytes, mode: int) -> None:
        with opened(name, _OPEN_FILE, parent) as descriptor:
            status = os.fstat(descriptor)  # of what is open: the name may be another's by now
            if not stat.S_ISREG(status.st_mode):
                raise ToolFailedError(tool="snapshot", reason=f"{shown(path)} changed its kind")
            digest, size = self._contents.keep_open_file(descriptor, max_bytes=MAX_FILE_BYTES)
        self._keep(
            path, status, ManifestEntry(path=path, mode=mode, digest=digest, size_bytes=size)
        )

    def _keep(self, path: bytes, status: os.stat_result, entry: ManifestEntry) -> None:
        is_settled = _is_settled(status, self._started_ns)
        self.seen[path] = _Known(_identity(status), entry, is_settled)


def _identity(status: os.stat_result) -> Identity:
    return (
        status.st_ino,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_size,
        status.st_mode,
        status.st_dev,
    )


def _is_settled(status: os.stat_result, now_ns: int) -> bool:
    """Whether a change made from now on gives the file other times than it has."""
    changed_ns = status.st_ctime_ns
    is_coarse = changed_ns % _SECOND_NS == 0
    return now_ns - changed_ns > (COARSE_TICK_NS if is_coarse else TICK_NS)
