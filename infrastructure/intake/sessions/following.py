"""Files as they are written: read on, notice truncation, rewriting, rotation and moves.

Files are only read. An open file is read to its end even if it has got another name or none: who
writes it goes on there. Only when a file of another identity lies under the name, reading goes
over to that.
"""

import os
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Final

READ_BYTES: Final = 1024 * 1024
WITNESS_BYTES: Final = 4096
"""How much before the present position, and of the beginning, is compared to notice rewriting."""


class Change(Enum):
    """What has become of a file since it was looked at last."""

    NONE = auto()
    GROWN = auto()
    REWRITTEN = auto()
    """What was read of it is not there any more."""
    REPLACED = auto()
    """Another file has its name, and this one has been read to its end."""


@dataclass(frozen=True, slots=True)
class _Seen:
    size: int
    modified_ns: int


class FollowedFile:
    """One open file. Close it."""

    def __init__(self, path: Path) -> None:
        """Open `path`.

        Raises:
            OSError: it cannot be opened.
        """
        self.path = path
        self.position = 0
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._tail = b""
        self._head = b""
        self._seen: _Seen | None = None

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def rewind(self) -> None:
        """Begin again at the first byte."""
        self.position, self._head, self._tail, self._seen = 0, b"", b"", None

    def read(self) -> bytes:
        """Return what comes next, up to a bound; nothing at the present end.

        Raises:
            OSError: it cannot be read.
        """
        data = os.pread(self._descriptor, READ_BYTES, self.position)
        if data:
            if len(self._head) < WITNESS_BYTES:
                self._head += data[: WITNESS_BYTES - len(self._head)]
            self._tail = (self._tail + data)[-WITNESS_BYTES:]
            self.position += len(data)
        return data

    def look(self) -> Change:
        """Return what has become of the file.

        Raises:
            OSError: it cannot be looked at.
        """
        found = os.fstat(self._descriptor)
        if found.st_size < self.position:
            return Change.REWRITTEN
        seen = _Seen(found.st_size, found.st_mtime_ns)
        if seen != self._seen:
            self._seen = seen
            if not self._is_as_read():
                return Change.REWRITTEN
        if found.st_size > self.position:
            return Change.GROWN
        return Change.REPLACED if self._is_replaced(found) else Change.NONE

    def _is_as_read(self) -> bool:
        head = os.pread(self._descriptor, len(self._head), 0)
        tail = os.pread(self._descriptor, len(self._tail), self.position - len(self._tail))
        return head == self._head and tail == self._tail

    def _is_replaced(self, found: os.stat_result) -> bool:
        try:
            named = os.stat(self.path)
        except OSError:
            return False  # moved or removed: whoever has it open may go on writing
        return (named.st_dev, named.st_ino) != (found.st_dev, found.st_ino)
