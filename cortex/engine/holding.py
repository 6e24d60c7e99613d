"""One task in the hands of a worker: claimed, kept, ended.

The claim is a transition, and its sequence the fence: what the worker writes afterwards counts only
while nobody has claimed the task since. So a worker that was thought dead can do no harm, and one
that died costs an attempt and the rest of its lease.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from cortex.engine.claims import (
    HANDED_BACK,
    Claim,
    Ending,
    Handler,
    TaskResult,
    claim_of,
    ending_of_error,
    ending_of_result,
    taking,
)
from cortex.engine.coordination import Coordination
from cortex.engine.queue import TaskMessage, TaskSource
from cortex.engine.replay import TaskView
from cortex.engine.state_machine import TaskTrigger
from cortex.engine.writer import Note
from nervous_system.comms.running import end_task
from nervous_system.errors import BusError, PublishTimeoutError, SwarmError, WrongSequenceError

logger = logging.getLogger(__name__)

LOOKS_PER_LEASE = 3
MAX_LOOK_SECONDS = 2.0
"""Longest until a holder learns that its task was cancelled, or has gone to another."""
RETRY_SECONDS = 0.5


class Holding:
    """One delivered message, from its arrival to its end."""

    def __init__(
        self, coordination: Coordination, source: TaskSource, message: TaskMessage
    ) -> None:
        self._coordination = coordination
        self._source = source
        self._message = message
        self._working: asyncio.Future[TaskResult] | None = None
        self._is_time_up = False

    async def run(self, handler: Handler, may_go_on: Callable[[], bool]) -> None:
        """Claim the task, let the handler work, write what has become of it.

        Args:
            handler: Does the work.
            may_go_on: Asked while the bus is away and the outcome cannot be written.

        Raises:
            BusError: the bus went away before the task was claimed.
        """
        view = await self._claim()
        if view is None:
            return
        claim = claim_of(view, self._feedback)
        keeping = asyncio.create_task(self._keep(claim), name=f"lease of {view.task.task_id}")
        try:
            ending = await self._work(handler, view, claim)
            await self._settle(view, ending, may_go_on)
        finally:
            await end_task(keeping)

    def interrupt(self) -> None:
        """Hand the task back, if its handler does not end in spite of being cancelled."""
        self._is_time_up = True
        if self._working is not None:
            self._working.cancel()

    # --- claiming

    async def _claim(self) -> TaskView | None:
        """Return the task as claimed; None where this message asks for nothing any more."""
        queued = self._message.view
        self._feedback = queued.reason
        view: TaskView | None = queued
        if self._message.delivery > 1:  # somebody may have begun
            view = await self._look()
        while view is not None and (trigger := taking(view, queued.generation)) is not None:
            with suppress(WrongSequenceError):
                return await self._take(view, trigger)
            view = await self._look()
        self._source.done(self._message)
        return None

    async def _take(self, view: TaskView, trigger: TaskTrigger) -> TaskView | None:
        writer, lease = self._coordination.writer, self._source.lease.total_seconds()
        lost = f"worker {view.worker} was lost" if view.fence else ""
        if trigger is TaskTrigger.BURY:
            reason = f"{lost} in attempt {view.attempt}, the last"
            await writer.move(view, trigger, Note(reason=reason))
            self._source.done(self._message)
            return None
        note = Note(worker=writer.agent_id, attempt=view.attempt + 1, reason=lost)
        taken = await writer.move(view, trigger, note, timeout=lease)
        self._feedback = view.reason
        return taken

    async def _look(self) -> TaskView | None:
        task = self._message.view.task
        return await self._coordination.log.task(task.run_id, task.task_id)

    # --- working

    async def _work(self, handler: Handler, view: TaskView, claim: Claim) -> Ending | None:
        """Return how it ended; None: it is not ours any more."""
        working = asyncio.ensure_future(_call(handler, claim))
        self._working = working
        try:
            await asyncio.wait({working})
        finally:
            self._working = None
            await end_task(working)  # where we are being cancelled ourselves
        if claim.is_lost.is_set():
            return None
        if working.cancelled():
            if self._is_time_up:
                return HANDED_BACK
            return ending_of_error(view, RuntimeError("the handler cancelled itself"))
        error = working.exception()
        if error is None:
            return ending_of_result(view, working.result())
        ending = ending_of_error(view, error)
        logger.warning(
            "task put off" if ending.trigger is TaskTrigger.HAND_BACK else "task failed",
            exc_info=None if isinstance(error, SwarmError) else error,  # ours say it all
            extra={"action": "task_failed", "task": view.task.task_id, "attempt": view.attempt},
        )
        return ending

    async def _keep(self, claim: Claim) -> None:
        """Show signs of life, and find out whether the task is still ours."""
        pause = min(self._source.lease.total_seconds() / LOOKS_PER_LEASE, MAX_LOOK_SECONDS)
        while True:
            await asyncio.sleep(pause)
            self._source.keep(self._message)
            with suppress(BusError):
                if not await self._is_ours(claim.task.run_id, claim.task.task_id, claim.fence):
                    claim.is_lost.set()
                    if self._working is not None:
                        self._working.cancel()
                    return

    async def _is_ours(self, run_id: str, task_id: str, fence: int) -> bool:
        if await self._coordination.log.last_sequence(run_id, task_id) == fence:
            return True
        view = await self._look()
        return view is not None and view.fence == fence

    # --- ending

    async def _settle(
        self, view: TaskView, ending: Ending | None, may_go_on: Callable[[], bool]
    ) -> None:
        """Write the end until its outcome is known."""
        fence = view.fence
        found: TaskView | None = view
        while found is not None and found.fence == fence and ending is not None:
            if await self._write(found, ending, may_go_on):
                return
            found = await self._look_patiently(may_go_on)
        if ending is not None:
            logger.warning(
                "result refused: the task is not ours any more",
                extra={"action": "result_fenced", "task": view.task.task_id, "fence": fence},
            )
        if found is None or ending is None:
            found = await self._look_patiently(may_go_on)
        if found is None or found.generation != view.generation:
            self._source.done(self._message)  # cancelled; otherwise another worker has the message

    async def _write(self, view: TaskView, ending: Ending, may_go_on: Callable[[], bool]) -> bool:
        """Return False where something has happened to the task meanwhile."""
        writer = self._coordination.writer
        note = Note(
            worker=writer.agent_id,
            attempt=view.attempt,
            fence=view.fence,
            document=ending.document,
            reason=ending.reason,
        )
        step = writer.task_step(view, ending.trigger, note)
        while True:
            try:
                await writer.write(step)
            except WrongSequenceError:
                return False
            except PublishTimeoutError:
                if not may_go_on():
                    raise
            else:
                break
        if ending.leaves_queue:
            self._source.done(self._message)
        else:
            is_failed = ending.trigger is TaskTrigger.FAIL
            delay = view.task.retry_delay(view.attempt) if is_failed else ending.seconds
            self._source.give_back(self._message, delay)
        return True

    async def _look_patiently(self, may_go_on: Callable[[], bool]) -> TaskView | None:
        while True:
            try:
                return await self._look()
            except BusError:
                if not may_go_on():
                    raise
                await asyncio.sleep(RETRY_SECONDS)


async def _call(handler: Handler, claim: Claim) -> TaskResult:
    return await handler(claim)
