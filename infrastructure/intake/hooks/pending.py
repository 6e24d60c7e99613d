"""Payloads that hooks have kept in the home while no receiver was there.

The hook appends to `hooks/pending`; whoever sends them moves that file away first, under the same
lock, so that nothing is appended to what is being read. What was moved and not sent, because the
receiver ended, is sent by the next one. An answer that came too late for the hook has left its
payload both in the stream and here: the name of the delivery makes the same events of it.
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nervous_system.home import Home

FOLDER = "hooks"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A payload as a hook has kept it."""

    harness: str
    delivery: str
    at_ns: int
    """When the hook was called."""
    payload: bytes
    is_denied: bool
    """A gate was asked for, and there was nobody to ask: the tool was not run."""


class PendingFiles:
    """What waits in one home."""

    def __init__(self, home: Home) -> None:
        self._folder = home.root / FOLDER
        self._file = self._folder / "pending"

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._file.exists() and not self._taken()

    @property
    def waiting_bytes(self) -> int:
        """How much waits, in bytes."""
        return sum(_size(path) for path in (self._file, *self._taken()))

    @property
    def dropped_count(self) -> int:
        """Payloads that found no room so far."""
        return _size(self._folder / "dropped")

    def take(self) -> list[Path]:
        """Move what waits out of the hooks' way; return all files to be sent, oldest first."""
        with suppress(FileNotFoundError):
            descriptor = os.open(self._file, os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                taken = self._taken()
                number = int(taken[-1].suffix[1:]) + 1 if taken else 1
                self._file.rename(self._folder / f"sending.{number:06d}")
            finally:
                os.close(descriptor)
        return self._taken()

    def _taken(self) -> list[Path]:
        return sorted(self._folder.glob("sending.*"))


def read_pending(path: Path) -> Iterator[Pending]:
    """Yield the payloads of a file; one that a hook could not finish is the last, and left out."""
    with path.open("rb") as file:
        while head := file.readline():
            try:
                said = json.loads(head)
                payload = file.read(int(said["size"]))
                is_whole = len(payload) == said["size"] and file.read(1) == b"\n"
                found = Pending(
                    harness=str(said["harness"]),
                    delivery=str(said["delivery"]),
                    at_ns=int(said["at_ns"]),
                    payload=payload,
                    is_denied=bool(said.get("gate")),
                )
            except (ValueError, KeyError, TypeError):
                is_whole = False
            if not is_whole:
                _log.warning("payload cut short", extra={"action": "hook_cut", "file": str(path)})
                return
            yield found


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
