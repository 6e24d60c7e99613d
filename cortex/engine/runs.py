"""Runs as their users see them: made, filled with tasks, watched, paused, cancelled."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any, cast

from cortex.engine.coordination import Coordination
from cortex.engine.replay import RunState
from cortex.engine.state_machine import RunPhase, RunTrigger, apply_run
from cortex.engine.tasks import Task, Transition, all_subjects, check_tasks, run_subjects
from cortex.errors import InvalidPlanError, RunNotFoundError
from nervous_system.comms.conditional import Conditional
from nervous_system.errors import BusError, BusUnavailableError, WrongSequenceError
from nervous_system.events import new_event_id

WRITE_SECONDS = 30.0
RETRY_SECONDS = 0.25


class RunClient:
    """Whatever can be done with runs; every call is safe to repeat."""

    def __init__(self, coordination: Coordination) -> None:
        self._log = coordination.log
        self._writer = coordination.writer

    async def create(self, document: Mapping[str, Any], *, run_id: str = "") -> str:
        """Make a run in PLANNING and return its id.

        Args:
            document: What it is about; anything that JSON can hold.
            run_id: Its id; by default a new one.

        Raises:
            WrongSequenceError: there is a run of this id.
            PublishTimeoutError: the bus is away.
        """
        run = RunState(run_id=run_id or new_event_id())
        step = self._writer.run_step(run, RunPhase.PLANNING, document=document)
        await self._writer.write(step, timeout=WRITE_SECONDS)
        return run.run_id

    async def submit(self, tasks: Sequence[Task]) -> None:
        """Add tasks to their run, all of the same one.

        Those whose dependencies are done can be worked on at once, also while the run is still
        being planned. A task of the run may submit more before it ends; anybody else only before
        `start`.

        Raises:
            InvalidPlanError: one of them cannot be worked on as it is given; where it is a task
                that exists already, others may have been added.
            RunNotFoundError: there is no such run.
            BusError: the bus is away; submitting the same tasks again is refused for those that
                were added.
        """
        if not tasks:
            return
        run = await self._log.run(tasks[0].run_id)
        for task in tasks:
            if task.run_id != run.run_id:
                raise InvalidPlanError(task_id=task.task_id, reason=f"is of run {task.run_id!r}")
        ordered = check_tasks(tasks, run.tasks)
        await self._create_all([self._writer.creation(task) for task in ordered], ordered)

    async def start(self, run_id: str) -> None:
        """Say that the plan is complete: the run ends when all of its tasks have ended.

        Raises:
            RunNotFoundError: there is no such run.
            IllegalTransitionError: it has ended.
            BusError: the bus is away.
        """
        await self._move(run_id, RunTrigger.START)

    async def pause(self, run_id: str, reason: str = "") -> RunPhase:
        """Begin no more tasks; those that are worked on go on. Errors as of `start`."""
        return await self._move(run_id, RunTrigger.PAUSE, reason)

    async def resume(self, run_id: str, reason: str = "") -> RunPhase:
        """Go on with a paused run, or with a failed one, whose dead tasks are tried again.

        Errors as of `start`.
        """
        return await self._move(run_id, RunTrigger.RESUME, reason)

    async def cancel(self, run_id: str, reason: str = "") -> RunPhase:
        """End all tasks of a run that have not ended. Errors as of `start`."""
        return await self._move(run_id, RunTrigger.CANCEL, reason)

    async def fail(self, run_id: str, reason: str) -> RunPhase:
        """End a run that could not be planned. Errors as of `start`."""
        return await self._move(run_id, RunTrigger.FAIL, reason)

    async def view(self, run_id: str) -> RunState:
        """Return a run as it is now.

        Raises:
            RunNotFoundError: there is no such run.
            BusUnavailableError: the bus is away.
        """
        return await self._log.run(run_id)

    async def find(self, prefix: str) -> str:
        """Return the id of the one run whose id begins so.

        Raises:
            RunNotFoundError: there is none, or more than one.
            BusUnavailableError: the bus is away.
        """
        known = await self._log.runs()
        found = [prefix] if prefix in known else [one for one in known if one.startswith(prefix)]
        if len(found) != 1:
            raise RunNotFoundError(run_id=prefix, count=len(found))
        return found[0]

    async def watch(self, run_id: str) -> AsyncIterator[Transition]:
        """Yield every transition of a run and its tasks, from the first; never ends."""
        async for transition in self._log.follow(1, *all_subjects(run_id)):
            yield transition

    async def wait(self, run_id: str) -> RunState:
        """Return a run when it has ended, across absences of the bus.

        Raises:
            RunNotFoundError: there is no such run.
        """
        with suppress(BusUnavailableError):
            await self._log.run(run_id)
        run = RunState(run_id=run_id)
        # its own steps alone: whoever waits should cost little while tasks are being done
        following = cast("Any", self._log.follow(1, run_subjects(run_id)))
        async with aclosing(following):
            async for transition in following:
                run.apply(transition)
                if run.has_ended and (ended := await self._when_all_ended(run_id)):
                    return ended
        raise RunNotFoundError(run_id=run_id)

    async def _when_all_ended(self, run_id: str) -> RunState | None:
        """Return a run that has ended when its last task has; None if it was resumed instead.

        Tasks that were submitted too late end after it.
        """
        while True:
            with suppress(BusUnavailableError):
                run = await self._log.run(run_id)
                if not run.has_ended:
                    return None
                if not run.open_count:
                    return run
            await asyncio.sleep(RETRY_SECONDS)

    async def _move(self, run_id: str, wish: RunTrigger, reason: str = "") -> RunPhase:
        """Let something happen to a run, unless it has happened already; return its phase."""
        while True:
            run = await self._log.run(run_id)
            if run.phase is None:
                raise RunNotFoundError(run_id=run_id)
            if _has_come_true(run, wish):
                return run.phase
            phase = apply_run(run.phase, wish)
            if wish is RunTrigger.RESUME and not run.is_planned:
                phase = apply_run(run.phase, RunTrigger.RESUME_PLANNING)
            step = self._writer.run_step(run, phase, reason=reason)
            try:
                await self._writer.write(step, timeout=WRITE_SECONDS)
            except WrongSequenceError:
                continue
            return phase

    async def _create_all(self, steps: Sequence[Conditional], tasks: Sequence[Task]) -> None:
        results = await self._writer.write_all(steps, timeout=WRITE_SECONDS)
        for task, result in zip(tasks, results, strict=True):
            if isinstance(result, WrongSequenceError):
                raise InvalidPlanError(
                    task_id=task.task_id, reason="the run has a task of this id"
                ) from result
        for result in results:
            if isinstance(result, BusError):
                raise result


_COME_TRUE: Mapping[RunTrigger, frozenset[RunPhase]] = {
    RunTrigger.PAUSE: frozenset({RunPhase.PAUSED}),
    RunTrigger.RESUME: frozenset({RunPhase.PLANNING, RunPhase.RUNNING}),
    RunTrigger.CANCEL: frozenset({RunPhase.CANCELLING, RunPhase.CANCELLED}),
    RunTrigger.FAIL: frozenset({RunPhase.FAILED}),
}


def _has_come_true(run: RunState, wish: RunTrigger) -> bool:
    if wish is RunTrigger.START:
        return run.is_planned and not run.has_ended
    return run.phase in _COME_TRUE[wish]
