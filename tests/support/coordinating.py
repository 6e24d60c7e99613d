"""Runs on a real bus: a party of agents, workers and orchestrators, all ended with the test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from cortex.engine.claims import Handler
from cortex.engine.coordination import Coordination, open_coordination
from cortex.engine.orchestrator import Orchestrator
from cortex.engine.replay import RunState
from cortex.engine.runs import RunClient
from cortex.engine.tasks import Task
from cortex.engine.trivial import do_nothing
from cortex.engine.worker import Worker
from nervous_system import connect
from nervous_system.comms.connection import open_nats
from nervous_system.comms.running import end_task
from nervous_system.config import SwarmConfig
from nervous_system.home import Home
from nervous_system.swarm import Swarm
from tests.support.bus import declare
from tests.support.servers import NatsServer

LEASE = timedelta(seconds=1)


@dataclass(slots=True)
class Party:
    """Everybody who takes part in the runs of one test."""

    swarm: Swarm
    coordination: Coordination
    """Of the test itself."""
    stack: AsyncExitStack
    stops: list[asyncio.Event] = field(default_factory=list)
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    @property
    def runs(self) -> RunClient:
        return RunClient(self.coordination)

    async def orchestrator(self, name: str = "orchestrator") -> "asyncio.Task[None]":
        part = await self.stack.enter_async_context(open_coordination(self.swarm, name))
        return self._start(Orchestrator(part, sweep=timedelta(seconds=1)))

    async def worker(
        self,
        handler: Handler = do_nothing,
        *,
        name: str = "worker-1",
        role: str = "trivial",
        grace: timedelta = LEASE,
    ) -> "asyncio.Task[None]":
        part = await self.stack.enter_async_context(open_coordination(self.swarm, name))
        return self._start(Worker(part, role, handler, lease=LEASE, grace=grace))

    async def run(self, *tasks: Task, run_id: str = "r1") -> str:
        """Make a run of these tasks, its plan complete."""
        await self.runs.create({"task": "test"}, run_id=run_id)
        await self.runs.submit(tasks)
        await self.runs.start(run_id)
        return run_id

    async def end_of(self, run_id: str = "r1") -> RunState:
        async with asyncio.timeout(20):
            return await self.runs.wait(run_id)

    def stop_last(self) -> None:
        """Ask who was started last to stop."""
        self.stops[-1].set()

    async def end(self) -> None:
        for stop in self.stops:
            stop.set()
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=5)
        for task in self.tasks:
            await end_task(task)
            if not task.cancelled():
                task.result()

    def _start(self, service: Orchestrator | Worker) -> "asyncio.Task[None]":
        stop = asyncio.Event()
        task = asyncio.create_task(service.run(stop))
        self.stops.append(stop)
        self.tasks.append(task)
        return task


def task(task_id: str = "t1", **fields: Any) -> Task:
    """Return a trivial task of run r1."""
    return Task(**{"task_id": task_id, "run_id": "r1", "role": "trivial", **fields})


@asynccontextmanager
async def party_at(server: NatsServer, home: Path, url: str = "") -> AsyncIterator[Party]:
    """Open a party on a server whose streams are declared at first."""
    async with open_nats(server.url, name="declare") as client:
        await declare(client.jetstream())
    config = SwarmConfig.from_env(
        {"OTEL_TRACES_EXPORTER": "none"}, home=Home(home).root, url=url or server.url
    )
    async with AsyncExitStack() as stack:
        swarm = await stack.enter_async_context(connect(config=config))
        part = await stack.enter_async_context(open_coordination(swarm, "test"))
        party = Party(swarm, part, stack)
        try:
            yield party
        finally:
            await party.end()
