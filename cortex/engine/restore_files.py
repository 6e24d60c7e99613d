"""Writes the files of a plan into a directory: each whole and checked, none outside.

Directories are opened one below the other and links are never followed, so that nothing that lies
there, or appears meanwhile, leads out. Blocking; async callers use a thread.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from cortex.engine.restore_plan import PlannedFile
from nervous_system.errors import ContentMissingError

MAX_LINK_BYTES = 4096
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class CheckedFile:
    """A file that is being written; its digest decides whether it stays."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = sha256()

    def write(self, piece: bytes) -> None:
        """Write the next piece."""
        self._digest.update(piece)
        self._file.write(piece)

    @property
    def digest(self) -> str:
        """Hex SHA-256 of what was written."""
        return self._digest.hexdigest()


class RestoreDirectory:
    """A directory that files are restored into."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def write(self, planned: PlannedFile, content: bytes) -> None:
        """Write a file whose content is at hand.

        Raises:
            ContentMissingError: the content is not the one that was recorded.
            OSError: it cannot be written there.
        """
        with self.open(planned) as file:
            file.write(content)

    @contextmanager
    def open(self, planned: PlannedFile) -> Iterator[CheckedFile]:
        """Give a file to write; it takes its name at the end, if its digest is the recorded one.

        Raises:
            ContentMissingError: what was written is not what was recorded.
            OSError: it cannot be written there.
        """
        *folders, name = planned.path.split(b"/")
        with self._folder(folders) as folder:
            temporary = b".restore-" + token_hex(8).encode()
            descriptor = os.open(temporary, _NEW_FILE, 0o600, dir_fd=folder)
            try:
                with os.fdopen(descriptor, "wb") as raw:
                    checked = CheckedFile(raw)
                    yield checked
                    raw.flush()
                    _check(checked, planned)
                    if not stat.S_ISLNK(planned.mode):
                        os.fchmod(descriptor, stat.S_IMODE(planned.mode))
                if stat.S_ISLNK(planned.mode):
                    _make_link(temporary, folder)
                os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=folder)
                raise

    @contextmanager
    def _folder(self, folders: list[bytes]) -> Iterator[int]:
        """Open a folder below the root, made as far as it is not there."""
        descriptor = os.open(self._root, _DIRECTORY & ~os.O_NOFOLLOW)
        try:
            for part in folders:
                _make_folder(part, descriptor)
                inner = os.open(part, _DIRECTORY, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)


def _make_folder(name: bytes, parent: int) -> None:
    try:
        os.mkdir(name, dir_fd=parent)
    except FileExistsError:
        return


def _check(file: CheckedFile, planned: PlannedFile) -> None:
    if file.digest != planned.digest:
        raise ContentMissingError(digest=planned.digest)


def _make_link(name: bytes, folder: int) -> None:
    """Put a link in the place of a file that holds its target."""
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as file:
        target = file.read(MAX_LINK_BYTES)
    os.unlink(name, dir_fd=folder)
    os.symlink(target, name, dir_fd=folder)
