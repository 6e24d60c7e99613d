"""A worker: takes one task of its role at a time, for as long as it is let.

Nothing here decides on what comes next: that is the orchestrator's part.
"""

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from cortex.engine.claims import Claim, Handler, Outcome, TaskResult
from cortex.engine.coordination import Coordination
from cortex.engine.holding import Holding
from nervous_system.comms.pausing import pause
from nervous_system.comms.running import end_task
from nervous_system.errors import BusError

if TYPE_CHECKING:
    from cortex.engine.queue import TaskSource

__all__ = ["Claim", "Handler", "Outcome", "TaskResult", "Worker"]

logger = logging.getLogger(__name__)

DEFAULT_GRACE = timedelta(seconds=10)
PATIENCE_SECONDS = 5.0
RETRY_SECONDS = 0.5


class Worker:
    """Works on the tasks of one role until it is stopped."""

    def __init__(
        self,
        coordination: Coordination,
        role: str,
        handler: Handler,
        *,
        lease: timedelta | None = None,
        grace: timedelta = DEFAULT_GRACE,
    ) -> None:
        """Store what it works with.

        Args:
            coordination: Its part in runs.
            role: Whose tasks it takes.
            handler: Does the work. An error that it raises is a failed attempt, and the last one if
                it is of ours and not `retryable`; TaskRefusedError is a refusal.
            lease: How long it may be silent before its task goes to another worker; the same for
                all workers of a role. By default what is set already, else 30 s.
            grace: How long the present task may go on once the worker is to stop; then it is handed
                back.
        """
        self._coordination = coordination
        self._role = role
        self._handler = handler
        self._lease = lease
        self._grace = grace
        self._source: TaskSource | None = None
        self._holding: Holding | None = None
        self._is_time_up = False

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, across absences of the bus; then finish or hand back."""
        watching = asyncio.create_task(self._watch(stop), name="worker's end")
        try:
            while not stop.is_set():
                try:
                    await self._take_tasks(stop)
                except BusError as error:
                    logger.info("bus away", extra={"action": "worker_waits", "reason": str(error)})
                    await pause(stop, RETRY_SECONDS)
        finally:
            await end_task(watching)

    async def _watch(self, stop: asyncio.Event) -> None:
        await stop.wait()
        if self._source is not None:
            self._source.interrupt()
        await asyncio.sleep(self._grace.total_seconds())
        self._is_time_up = True
        if self._holding is not None:
            self._holding.interrupt()

    async def _take_tasks(self, stop: asyncio.Event) -> None:
        async with self._coordination.queue.source(self._role, self._lease) as source:
            self._source = source
            try:
                while not stop.is_set():
                    message = await source.next(PATIENCE_SECONDS)
                    if message is None:
                        continue
                    self._holding = Holding(self._coordination, source, message)
                    await self._holding.run(self._handler, lambda: not self._is_time_up)
            finally:
                self._source = self._holding = None
