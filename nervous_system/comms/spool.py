"""Events on disk while the bus is away: one directory per process, below the home's `spool/`.

    <pid>-<random>/lock           flock'ed while its process lives
    <pid>-<random>/acked          number up to which all records are settled
    <pid>-<random>/00000001.seg   records, in the order in which they were written

`append` returns when the record is with the kernel, so it survives the end of this process however
that comes; a thread syncs it to disk within `sync_interval`. Records are settled in any order; a
segment goes when all in it are. A directory whose lock is free belongs to a dead process, and
whoever takes the lock adopts it (`orphans`).
"""

import contextlib
import errno
import fcntl
import logging
import os
import secrets
import shutil
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nervous_system.comms.contracts import Outgoing
from nervous_system.comms.spool_format import (
    FIXED_SIZE,
    Record,
    decode_records,
    encode_record,
)
from nervous_system.config import SpoolConfig
from nervous_system.errors import ConfigError, SpoolFullError

logger = logging.getLogger(__name__)

SEGMENT_BYTES = 4 * 1024 * 1024
READ_BYTES = 1024 * 1024
LOCK_NAME = "lock"
ACKED_NAME = "acked"
SEGMENT_SUFFIX = ".seg"
BUILDING_PREFIX = "."
ACKED = struct.Struct(">Q")


@dataclass(slots=True)
class Segment:
    """One file of records."""

    path: Path
    descriptor: int
    size_bytes: int = 0
    last_number: int = 0
    """Of its last record; 0: none yet."""


class Spool:
    """The spool of this process. Made by `open_spool`; belongs to one thread.

    But for the syncing.
    """

    def __init__(self, directory: Path, lock: int, config: SpoolConfig) -> None:
        self.directory = directory
        self._lock = lock
        self._config = config
        self._segments: deque[Segment] = deque()
        self._acked_descriptor = os.open(directory / ACKED_NAME, os.O_RDWR | os.O_CREAT, 0o600)
        self._next_segment = 1
        self._segment_bytes = min(SEGMENT_BYTES, config.max_bytes // 4)
        self._settled_ahead: set[int] = set()
        self._syncer = _Syncer(config.sync_interval.total_seconds(), self._write_acked)
        self._cursor_segment: Segment | None = None
        self._cursor_offset = 0
        self.last_number = 0
        """Of the newest record; 0: none yet."""
        self.settled_number = 0
        """All records up to this one are settled."""
        self.size_bytes = 0
        """On disk, settled records of segments that are still there included."""

    @property
    def is_empty(self) -> bool:
        """All that was ever written is settled."""
        return self.settled_number == self.last_number

    def has_room(self, outgoing: Outgoing) -> bool:
        """Return whether `append` would find room."""
        size = FIXED_SIZE + len(outgoing.payload) + 4 * len(outgoing.subject) + 1024
        return self.size_bytes + size <= self._config.max_bytes

    def append(self, outgoing: Outgoing, after_sequence: int) -> int:
        """Write a record and return its number; once this returns, the record survives the process.

        Raises:
            SpoolFullError: the bound is reached, or the disk is full.
        """
        number = self.last_number + 1
        data = encode_record(number, after_sequence, outgoing)
        if self.size_bytes + len(data) > self._config.max_bytes:
            raise self.full()
        segment = self._segments[-1] if self._segments else None
        if segment is None or segment.size_bytes >= self._segment_bytes:
            segment = self._add_segment()
        try:
            written = os.write(segment.descriptor, data)
        except OSError as error:
            raise self.full(error) from error
        if written < len(data):
            os.ftruncate(segment.descriptor, segment.size_bytes)
            raise self.full(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        segment.size_bytes += written
        segment.last_number = number
        self.size_bytes += written
        self.last_number = number
        self._syncer.note_write(segment.descriptor)
        return number

    def read(self, max_count: int) -> list[Record]:
        """Return the records after those that were read before, in order."""
        records: list[Record] = []
        while len(records) < max_count:
            segment = self._cursor()
            if segment is None or self._cursor_offset >= segment.size_bytes:
                break
            wanted = min(READ_BYTES, segment.size_bytes - self._cursor_offset)
            found = self._read_at(segment, wanted, max_count - len(records))
            if not found:
                # One record is larger than the piece that was read.
                rest = segment.size_bytes - self._cursor_offset
                found = self._read_at(segment, rest, 1)
            if not found:
                logger.error(
                    "spool damaged", extra={"action": "spool_damaged", "path": str(segment.path)}
                )
                break
            records.extend(found)
        return records

    def settle(self, number: int) -> None:
        """Note that a record needs no sending any more."""
        if number != self.settled_number + 1:
            self._settled_ahead.add(number)
            return
        self.settled_number = number
        while self.settled_number + 1 in self._settled_ahead:
            self.settled_number += 1
            self._settled_ahead.discard(self.settled_number)
        self._syncer.note_settled()
        self._drop_settled_segments()

    def close(self) -> None:
        """Sync and release; a spool with nothing left in it is removed."""
        self._syncer.close()
        for segment in self._segments:
            os.close(segment.descriptor)
        os.close(self._acked_descriptor)
        if self.is_empty:
            shutil.rmtree(self.directory, ignore_errors=True)
        os.close(self._lock)

    def _cursor(self) -> Segment | None:
        """Return the segment that is read next, with the offset set to where."""
        current = self._cursor_segment
        if current is None:
            self._cursor_segment = self._segments[0] if self._segments else None
            self._cursor_offset = 0
            return self._cursor_segment
        if self._cursor_offset < current.size_bytes or current is self._segments[-1]:
            return current
        self._cursor_segment = self._segments[self._segments.index(current) + 1]
        self._cursor_offset = 0
        return self._cursor_segment

    def _read_at(self, segment: Segment, size: int, max_count: int) -> list[Record]:
        data = os.pread(segment.descriptor, size, self._cursor_offset)
        records: list[Record] = []
        for record in decode_records(data):
            records.append(record)
            self._cursor_offset += record.size_bytes
            if len(records) == max_count:
                break
        return records

    def _add_segment(self) -> Segment:
        path = self.directory / f"{self._next_segment:08d}{SEGMENT_SUFFIX}"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise self.full(error) from error
        self._next_segment += 1
        self._syncer.add(descriptor)
        segment = Segment(path, descriptor)
        self._segments.append(segment)
        return segment

    def _drop_settled_segments(self) -> None:
        """Remove segments that are settled and read; the last one only when it has grown."""
        while self._segments:
            segment = self._segments[0]
            is_last = len(self._segments) == 1
            if segment.last_number > self.settled_number or (
                is_last and segment.size_bytes < self._segment_bytes
            ):
                return
            if segment is self._cursor_segment:
                if self._cursor_offset < segment.size_bytes:
                    return
                self._cursor_segment = self._segments[1] if not is_last else None
                self._cursor_offset = 0
            self._segments.popleft()
            self.size_bytes -= segment.size_bytes
            self._syncer.forget(segment.descriptor)
            os.close(segment.descriptor)
            segment.path.unlink(missing_ok=True)

    def _write_acked(self) -> None:
        os.pwrite(self._acked_descriptor, ACKED.pack(self.settled_number), 0)

    def full(self, error: OSError | None = None) -> SpoolFullError:
        """Return the error that says what bound was reached: its own, or the disk's."""
        return SpoolFullError(
            path=str(self.directory),
            limit_bytes=self._config.max_bytes,
            reason=error.strerror or str(error) if error else "",
        )


class _Syncer:
    """A thread that brings writes to disk within an interval.

    It has descriptors of its own for the same files and is the only one to close them.
    """

    def __init__(self, interval: float, write_acked: Callable[[], None]) -> None:
        self._interval = interval
        self._write_acked = write_acked
        self._own: dict[int, int] = {}
        self._dirty: set[int] = set()
        self._retired: deque[int] = deque()
        self._has_settled = False
        self._is_failing = False
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="spool-sync", daemon=True)
        self._thread.start()

    def add(self, descriptor: int) -> None:
        """Take a new file in charge."""
        self._own[descriptor] = os.dup(descriptor)

    def note_write(self, descriptor: int) -> None:
        """Have this file synced."""
        self._dirty.add(self._own[descriptor])
        if not self._wake.is_set():
            self._wake.set()

    def note_settled(self) -> None:
        """Have the number of settled records written."""
        self._has_settled = True
        if not self._wake.is_set():
            self._wake.set()

    def forget(self, descriptor: int) -> None:
        """Do not sync this file any more; nothing in it is needed."""
        own = self._own.pop(descriptor)
        self._dirty.discard(own)
        self._retired.append(own)

    def close(self) -> None:
        """Sync a last time and end."""
        self._has_settled = True
        self._stop.set()
        self._wake.set()
        self._thread.join()
        self._sync()
        for own in (*self._own.values(), *self._retired):
            os.close(own)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait()
            self._stop.wait(self._interval)
            self._wake.clear()
            self._sync()

    def _sync(self) -> None:
        try:
            if self._has_settled:
                self._has_settled = False  # first: more may be settled meanwhile
                self._sync_acked()
            while self._dirty:
                self._sync_one(self._dirty.pop())
            self._is_failing = False
        except OSError as error:
            self._note_failure(error)
        while self._retired:
            own = self._retired.popleft()
            self._dirty.discard(own)
            os.close(own)

    def _sync_acked(self) -> None:
        try:
            self._write_acked()
        except OSError:
            self._has_settled = True
            raise

    def _sync_one(self, descriptor: int) -> None:
        try:
            os.fdatasync(descriptor)
        except OSError:
            self._dirty.add(descriptor)
            raise

    def _note_failure(self, error: OSError) -> None:
        """Say it once, and try again after the interval."""
        if not self._is_failing:
            self._is_failing = True
            logger.warning(
                "spool not synced", extra={"action": "spool_sync_failed", "reason": str(error)}
            )
        self._wake.set()


@contextlib.contextmanager
def open_spool(config: SpoolConfig) -> Iterator[Spool]:
    """Make this process's spool; at the end what is not settled stays for the next process.

    Raises:
        ConfigError: no directory can be made there.
    """
    name = f"{os.getpid()}-{secrets.token_hex(4)}"
    # Others take an unlocked directory for a dead process's, so it gets its name when it is locked.
    building = config.directory / f"{BUILDING_PREFIX}{name}"
    try:
        building.mkdir(parents=True, mode=0o700)
        lock = os.open(building / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        directory = building.rename(config.directory / name)
    except OSError as error:
        raise ConfigError(
            variable="SWARM_HOME",
            given=str(config.directory),
            expected=f"a directory that can be written to ({error.strerror})",
            fix="name another home or free some space",
        ) from error
    spool = Spool(directory, lock, config)
    try:
        yield spool
    finally:
        spool.close()
