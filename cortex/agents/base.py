"""What every agent does around its work, so that one of one's own is a class with one method.

An agent decides before it acts, uses tools through `tools`, and returns what came of a task. Around
that: a span for each task, heartbeats, and the error as a signal when it fails.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import ClassVar

from cortex.engine.claims import Claim, TaskResult
from cortex.engine.coordination import known_role
from cortex.errors import TaskPutOffError, TaskRefusedError
from cortex.tools.recording import ToolRecorder
from nervous_system.agent import CRITICAL_FAILURE, HEALTHY, Agent
from nervous_system.comms.running import end_task
from nervous_system.schemas import AgentRole
from nervous_system.swarm import Swarm
from nervous_system.telemetry.spans import INVOKE_AGENT

HEARTBEAT_SECONDS = 10.0
speaker: ContextVar[Agent | None] = ContextVar("speaker", default=None)
"""The agent whose work is going on: what is called on its behalf can speak through it."""


class BaseAgent(ABC):
    """One life of an agent in one run. Subclasses implement `work`, and nothing else has to be."""

    role: ClassVar[str]
    """Whose tasks it takes."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        """Its voice: decisions, changes, signals, spans."""
        self.tools = ToolRecorder(agent)
        """Makes tools' calls events."""

    @abstractmethod
    async def work(self, claim: Claim) -> TaskResult:
        """Do one task.

        An error is a failed attempt, and the task is tried again as its plan allows.

        Raises:
            TaskRefusedError: it is understood, and cannot or must not be done.
            TaskPutOffError: it cannot be done now; that is no failed attempt.
        """

    async def perform(self, claim: Claim) -> TaskResult:
        """Do one task inside a span; an error is said before it goes on to the worker."""
        name = f"{INVOKE_AGENT} {self.agent.identity.name}"
        with _speaking(self.agent), self.agent.span(name, parent=claim.carrier):
            try:
                return await self.work(claim)
            except (TaskRefusedError, TaskPutOffError):
                raise
            except Exception as error:
                detail = f"task {claim.task.task_id}: {type(error).__name__}: {error}"
                await self.agent.signal(CRITICAL_FAILURE, detail=detail)
                raise


@contextmanager
def _speaking(agent: Agent) -> Iterator[None]:
    token = speaker.set(agent)
    try:
        yield
    finally:
        speaker.reset(token)


Build = Callable[[Agent, Claim], Awaitable[BaseAgent]]
"""Makes the agent of a run when its first task comes."""


class AgentHost:
    """Takes the claims of a worker to an agent; its life lasts as long as tasks of one run come.

    Made by `host_agent`; it is the worker's handler.
    """

    def __init__(self, swarm: Swarm, agent_id: str, role: AgentRole, build: Build) -> None:
        self._swarm = swarm
        self._agent_id = agent_id
        self._role = role
        self._build = build
        self._life = AsyncExitStack()
        self._present: BaseAgent | None = None

    async def __call__(self, claim: Claim) -> TaskResult:
        """Do a task; one of another run ends the present life and begins the next."""
        agent = self._present
        if agent is None or agent.agent.run_id != claim.task.run_id:
            await self.close()
            agent = self._present = await self._begin(claim)
        return await agent.perform(claim)

    async def close(self) -> None:
        """End the present life."""
        self._present = None
        await self._life.aclose()

    async def _begin(self, claim: Claim) -> BaseAgent:
        said = await self._life.enter_async_context(
            self._swarm.agent(self._agent_id, role=self._role, run_id=claim.task.run_id)
        )
        beating = asyncio.create_task(_beat(said), name=f"heartbeat {self._agent_id}")
        self._life.push_async_callback(end_task, beating)
        return await self._build(said, claim)


@asynccontextmanager
async def host_agent(
    swarm: Swarm, agent_id: str, agent_class: type[BaseAgent], build: Build | None = None
) -> AsyncIterator[AgentHost]:
    """Give an agent to a worker: `Worker(coordination, agent_class.role, host)`.

    Args:
        swarm: the connection that it speaks over.
        agent_id: unique name.
        agent_class: what it is.
        build: makes it, where that takes more than its voice.
    """

    async def plainly(said: Agent, claim: Claim) -> BaseAgent:
        del claim
        return agent_class(said)

    host = AgentHost(swarm, agent_id, known_role(agent_class.role), build or plainly)
    try:
        yield host
    finally:
        await host.close()


async def _beat(said: Agent) -> None:
    while True:
        await asyncio.sleep(HEARTBEAT_SECONDS)
        await said.signal(HEALTHY)
