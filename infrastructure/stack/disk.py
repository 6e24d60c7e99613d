"""Notices that the bus has run out of disk, says so, and restarts nats-server when there is room.

A full disk makes publishes time out with no error, and nats-server refuses every write from then
on, also when room has been made: only a restart helps, and loses nothing that was acknowledged. The
server tells of it in its own health check.
"""

import asyncio
import enum
import logging
import shutil
from datetime import timedelta
from pathlib import Path

from infrastructure.stack.http_probe import HttpAnswer, http_get
from infrastructure.stack.supervisor import Supervisor

logger = logging.getLogger(__name__)

MIN_FREE_BYTES = 32 * 1024 * 1024
"""Room that has to be there before a restart is worth while: a few messages of the largest size."""
PROBE_TIMEOUT_SECONDS = 2.0


class DiskVerdict(enum.Enum):
    """What to do about the bus's disk."""

    WELL = "well"
    WAIT = "wait"
    """Writes fail and there is no room yet."""
    RESTART = "restart"
    """Writes fail although there is room again."""


def has_write_error(answer: HttpAnswer | None) -> bool:
    """Return whether the server's health check says that it cannot write; pure."""
    return answer is not None and b"write error" in answer.body


def judge_disk(
    answer: HttpAnswer | None, free_bytes: int, min_free_bytes: int = MIN_FREE_BYTES
) -> DiskVerdict:
    """Return what the server's health check and the free space mean; pure."""
    if not has_write_error(answer):
        return DiskVerdict.WELL
    return DiskVerdict.RESTART if free_bytes >= min_free_bytes else DiskVerdict.WAIT


class DiskWatch:
    """Looks at the health check again and again; call it as a watch of the supervisor."""

    def __init__(
        self,
        *,
        monitor_url: str,
        store: Path,
        pause: timedelta = timedelta(seconds=1),
        min_free_bytes: int = MIN_FREE_BYTES,
    ) -> None:
        self._url = f"{monitor_url}/healthz"
        self._store = store
        self._pause = pause
        self._min_free_bytes = min_free_bytes
        self._is_reported = False

    async def __call__(self, supervisor: Supervisor) -> None:
        """Watch until cancelled."""
        while True:
            await asyncio.sleep(self._pause.total_seconds())
            answer = await http_get(self._url, timeout=PROBE_TIMEOUT_SECONDS)
            free = shutil.disk_usage(self._store).free
            await self._act(supervisor, judge_disk(answer, free, self._min_free_bytes), free)

    async def _act(self, supervisor: Supervisor, verdict: DiskVerdict, free: int) -> None:
        if verdict is DiskVerdict.WAIT and not self._is_reported:
            self._report(free)
        elif verdict is DiskVerdict.RESTART:
            logger.warning(
                "there is room again, restarting nats-server",
                extra={"action": "disk_recovered", "free_bytes": free, "store": str(self._store)},
            )
            await supervisor.restart("nats")
        elif verdict is DiskVerdict.WELL and self._is_reported:
            self._is_reported = False

    def _report(self, free: int) -> None:
        self._is_reported = True
        logger.error(
            "the disk of the bus is full: nothing can be published until there is room",
            extra={
                "action": "disk_full",
                "free_bytes": free,
                "needed_bytes": self._min_free_bytes,
                "store": str(self._store),
            },
        )
