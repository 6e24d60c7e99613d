"""The log of a process: appended to by the process itself, kept short by the supervisor.

A process writes to the descriptor that it was started with, so that its log is there also when the
supervisor is not. Therefore its file is never renamed: what is in it moves to `NAME.1`, and the
file itself is emptied. Lines that are written in between are lost.
"""

import asyncio
import logging
import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infrastructure.stack.supervisor import Supervisor

logger = logging.getLogger(__name__)

MAX_LOG_BYTES = 32 * 1024 * 1024
LOOK_PAUSE = timedelta(seconds=10)
TAIL_BYTES = 4096
LONGEST_LINE_BYTES = 64 * 1024


class LogWatch:
    """Keeps the logs of a home short while their processes run; a watch of the supervisor."""

    def __init__(
        self, logs: Path, *, max_bytes: int = MAX_LOG_BYTES, pause: timedelta = LOOK_PAUSE
    ) -> None:
        self._logs = logs
        self._max_bytes = max_bytes
        self._pause = pause

    async def __call__(self, supervisor: "Supervisor") -> None:
        """Watch until cancelled."""
        while True:
            for log in sorted(self._logs.glob("*.log")):
                self._look(log)
            await asyncio.sleep(self._pause.total_seconds())

    def _look(self, log: Path) -> None:
        try:
            keep_log_short(log, self._max_bytes)
        except OSError as error:  # such as: no room for a copy, and then the log does not grow
            logger.warning(
                "a log cannot be shortened",
                extra={"action": "log_too_long", "log": str(log), "reason": str(error)},
            )


def keep_log_short(log: Path, max_bytes: int = MAX_LOG_BYTES) -> None:
    """Move the newest `max_bytes` of a longer log to `NAME.1`, in the place of those before."""
    try:
        if log.stat().st_size > max_bytes:
            _copy_newest(log, log.with_name(f"{log.name}.1"), max_bytes)
            os.truncate(log, 0)
    except FileNotFoundError:
        return


def last_line(log: Path) -> str:
    """Return the last line of a log that says something, empty where there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            lines = file.read().decode("utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _copy_newest(log: Path, target: Path, max_bytes: int) -> None:
    copy = target.with_name(f".{target.name}")
    with log.open("rb") as source, open(copy, "wb", opener=_open_private) as kept:
        source.seek(-max_bytes, os.SEEK_END)
        source.readline(LONGEST_LINE_BYTES)  # the first line has most probably lost its beginning
        kept.write(source.read(max_bytes))
    copy.replace(target)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
