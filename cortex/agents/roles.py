"""Which agent takes the tasks of which role in a run on a repository."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType

from cortex.agents.architect import Architect
from cortex.agents.base import AgentHost, BaseAgent, host_agent
from cortex.agents.coder import Coder
from cortex.agents.reviewer import Reviewer
from cortex.agents.site import Sites
from cortex.engine.claims import Claim, Handler
from cortex.engine.handlers import Workplace
from cortex.engine.job import ARCHITECT, CODER, REVIEWER
from cortex.errors import TaskPutOffError
from nervous_system.agent import Agent
from nervous_system.errors import ConfigError
from nervous_system.swarm import Swarm

AGENTS: Mapping[str, type[Architect | Coder | Reviewer]] = MappingProxyType(
    {ARCHITECT: Architect, CODER: Coder, REVIEWER: Reviewer}
)

PUT_OFF_SECONDS = 5.0
"""How long a task stays away from workers that have not got the run's model."""


@asynccontextmanager
async def open_agent(workplace: Workplace) -> AsyncIterator[Handler]:
    """Open the agent of a worker's role, with sites of its own."""
    async with (
        Sites(workplace.swarm, workplace.runs, workplace.memory) as sites,
        host_role(workplace.swarm, workplace.agent_id, workplace.role, sites) as host,
    ):
        yield host


@asynccontextmanager
async def host_role(
    swarm: Swarm, agent_id: str, role: str, sites: Sites
) -> AsyncIterator[AgentHost]:
    """Give the agent of a role to a worker; agents of one process share their sites."""
    agent_class = AGENTS[role]

    async def build(said: Agent, claim: Claim) -> BaseAgent:
        try:
            site = await sites.of(claim.task.run_id)
        except ConfigError as error:  # of this process: another one may have the key
            raise TaskPutOffError(reason=str(error), seconds=PUT_OFF_SECONDS) from error
        return agent_class(said, site)

    async with host_agent(swarm, agent_id, agent_class, build) as host:
        yield host
