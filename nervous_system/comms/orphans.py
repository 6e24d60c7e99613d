"""Spools of dead processes, for whoever takes their lock; `spool` says how one is laid out."""

import fcntl
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from nervous_system.comms.spool import (
    ACKED,
    ACKED_NAME,
    BUILDING_PREFIX,
    LOCK_NAME,
    SEGMENT_SUFFIX,
)
from nervous_system.comms.spool_format import Record, decode_records, is_torn

logger = logging.getLogger(__name__)

DAMAGED_SUFFIX = ".damaged"
"""Ends the name of a spool that somebody has to look into; nobody adopts it."""


class Orphan:
    """The spool of a dead process, locked by this one."""

    def __init__(self, directory: Path, lock: int) -> None:
        self.directory = directory
        self.is_damaged = False
        """Whether `unsettled` came upon records that cannot be read."""
        self._lock = lock

    def unsettled(self) -> Iterator[Record]:
        """Yield what was not settled, in order.

        A torn end is what its process never finished writing.
        """
        settled = self._settled_number()
        paths = sorted(self.directory.glob(f"*{SEGMENT_SUFFIX}"))
        for path in paths:
            data = path.read_bytes()
            size = 0
            for record in decode_records(data):
                size += record.size_bytes
                if record.number > settled:
                    yield record
            is_last = path == paths[-1]
            if size < len(data) and not (is_last and is_torn(data, size)):
                self.is_damaged = True
                logger.error("spool damaged", extra={"action": "spool_damaged", "path": str(path)})

    def note_settled(self, number: int) -> None:
        """Remember, for the case that this process does not finish either."""
        (self.directory / ACKED_NAME).write_bytes(ACKED.pack(number))

    def remove(self) -> None:
        """Everything is settled."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def set_aside(self) -> Path:
        """Keep what is there under another name, out of the way of others, and return where."""
        aside = self.directory.with_name(f"{self.directory.name}{DAMAGED_SUFFIX}")
        self.directory = self.directory.rename(aside)
        return aside

    def release(self) -> None:
        """Leave it to others."""
        os.close(self._lock)

    def _settled_number(self) -> int:
        try:
            data = (self.directory / ACKED_NAME).read_bytes()
        except FileNotFoundError:
            return 0
        return int(ACKED.unpack(data)[0]) if len(data) == ACKED.size else 0


def take_orphans(root: Path) -> Iterator[Orphan]:
    """Yield the spools below `root` whose processes are dead, locked by this process."""
    if not root.is_dir():
        return
    for directory in sorted(root.iterdir()):
        if directory.name.startswith(BUILDING_PREFIX) or directory.suffix == DAMAGED_SUFFIX:
            continue
        try:
            lock = os.open(directory / LOCK_NAME, os.O_RDWR)
        except OSError:
            continue  # gone meanwhile, or not ours to read
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            continue
        yield Orphan(directory, lock)


def has_orphans(root: Path) -> bool:
    """Return whether a dead process has left a spool below `root`."""
    for orphan in take_orphans(root):
        orphan.release()
        return True
    return False
