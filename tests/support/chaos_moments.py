"""Strike a process at the moment at which it makes or renames a directory: Linux's inotify."""

import ctypes
import os
import select
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

IN_MOVED_FROM = 0x40
IN_CREATE = 0x100
_EVENT = struct.Struct("iIII")
_READ_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When to strike."""

    mask: int
    """IN_CREATE: an entry is made; IN_MOVED_FROM: it gets another name."""
    prefix: str
    """Of the entry's name; of its old one where it is renamed."""
    delay_seconds: float = 0.0
    """How long after that."""


class DirectoryWatch:
    """The entries of one directory as they come and go. Made by `watch_directory`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def strike(self, moment: Moment, act: Callable[[], object], timeout: float) -> None:
        """Call `act` as soon as the moment has come, forgetting all that was before.

        Raises:
            TimeoutError: it did not come.
        """
        for _ in self._changes(0):
            pass
        for mask, name in self._changes(timeout):
            if mask & moment.mask and name.startswith(moment.prefix):
                _spin(moment.delay_seconds)
                act()
                return
        raise TimeoutError(f"nothing like {moment} within {timeout:g} s")

    def _changes(self, timeout: float) -> Iterator[tuple[int, str]]:
        """Yield what happens until nothing has for so long."""
        while select.select([self._descriptor], [], [], timeout)[0]:
            data = os.read(self._descriptor, _READ_BYTES)
            at = 0
            while at < len(data):
                _, mask, _, size = _EVENT.unpack_from(data, at)
                at += _EVENT.size + size
                yield mask, data[at - size : at].rstrip(b"\0").decode()


def _spin(seconds: float) -> None:
    """Wait as exactly as that goes: the scheduler's idea of a millisecond is too coarse."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


@contextmanager
def watch_directory(path: Path) -> Iterator[DirectoryWatch]:
    """Watch a directory until the end of the block; it may be another process's."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        watch = libc.inotify_add_watch(descriptor, os.fsencode(path), IN_CREATE | IN_MOVED_FROM)
        if min(descriptor, watch) < 0:
            raise OSError(ctypes.get_errno(), f"cannot watch {path}")
        yield DirectoryWatch(descriptor)
    finally:
        os.close(descriptor)
