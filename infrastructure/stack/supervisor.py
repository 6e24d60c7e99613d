"""Starts the processes of a stack in order, keeps them running, and stops them in reverse order.

It knows nothing of buses and history: what is started, when it is ready and what has to be prepared
before it comes as steps (see `plan`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from infrastructure.stack.child import Child, ChildSpec
from infrastructure.stack.keeper import Keeper
from infrastructure.stack.restart import RestartPolicy

logger = logging.getLogger(__name__)

Watch = Callable[["Supervisor"], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One process and what must have happened before it is started."""

    spec: ChildSpec
    after: tuple[str, ...] = ()
    """Names of the processes that have to be ready."""
    prepare: Callable[[], Awaitable[None]] | None = None
    """Run once, when those are ready."""


class Supervisor:
    """The processes of one stack. `run` returns when all of them have ended."""

    def __init__(
        self,
        steps: Sequence[Step],
        *,
        start_timeout: timedelta,
        policy: RestartPolicy | None = None,
        on_change: Callable[["Supervisor"], None] = lambda _: None,
        watches: Sequence[Watch] = (),
    ) -> None:
        self._steps = tuple(steps)
        self._start_timeout = start_timeout
        self._watches = tuple(watches)
        self._on_change = on_change
        self._ready = {step.spec.name: asyncio.Event() for step in steps}
        self._keepers = {
            step.spec.name: Keeper(step.spec, policy or RestartPolicy(), self._changed)
            for step in steps
        }

    @property
    def children(self) -> list[Child]:
        """The processes started last, one per step that was reached."""
        return [keeper.child for keeper in self._keepers.values() if keeper.child is not None]

    async def restart(self, name: str) -> None:
        """Stop one process; it is started again at once."""
        await self._keepers[name].restart()

    async def run(self, stop: asyncio.Event, on_ready: Callable[[], None]) -> None:
        """Start everything, call `on_ready`, keep all running until `stop`, then drain.

        Raises:
            ChildFailedError: a process did not become ready; what was started is stopped again.
        """
        try:
            if not await self._started_before(stop):
                return
            on_ready()
            await self._keep_until(stop)
        finally:
            await asyncio.shield(self._stop_all())

    async def _started_before(self, stop: asyncio.Event) -> bool:
        starting = asyncio.ensure_future(self._start_all())
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            return starting.done() and starting.result() is None
        finally:
            for task in (starting, stopping):
                task.cancel()
            await asyncio.gather(starting, stopping, return_exceptions=True)

    async def _start_all(self) -> None:
        async with asyncio.TaskGroup() as group:
            for step in self._steps:
                group.create_task(self._start(step))

    async def _start(self, step: Step) -> None:
        for name in step.after:
            await self._ready[name].wait()
        if step.prepare is not None:
            await step.prepare()
        child = await self._keepers[step.spec.name].start()
        await child.wait_ready(self._start_timeout)
        self._ready[step.spec.name].set()

    async def _keep_until(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            keeping = [group.create_task(keeper.keep()) for keeper in self._keepers.values()]
            watching = [group.create_task(_run(watch, self)) for watch in self._watches]
            await stop.wait()
            for task in watching:
                task.cancel()
            await self._stop_all()
            await asyncio.gather(*keeping)

    async def _stop_all(self) -> None:
        for step in reversed(self._steps):
            await self._keepers[step.spec.name].stop()

    def _changed(self) -> None:
        self._on_change(self)


async def _run(watch: Watch, supervisor: Supervisor) -> None:
    await watch(supervisor)
