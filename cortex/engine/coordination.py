"""What everybody needs who takes part in runs: the log of transitions, a writer, the queue."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from cortex.engine.log import TransitionLog
from cortex.engine.queue import TaskQueue
from cortex.engine.writer import TransitionWriter
from nervous_system.comms.conditional import open_conditional_publisher
from nervous_system.comms.connection import redact_url
from nervous_system.comms.streams import COORDINATION_STREAM, TASKS_STREAM
from nervous_system.schemas import AgentRole
from nervous_system.subjects import ROLE_TOKENS, parse_role
from nervous_system.swarm import Swarm


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordination:
    """One agent's part in runs. Made by `open_coordination`."""

    agent_id: str
    log: TransitionLog
    writer: TransitionWriter
    queue: TaskQueue


@asynccontextmanager
async def open_coordination(
    swarm: Swarm, agent_id: str, *, role: str = "operator"
) -> AsyncIterator[Coordination]:
    """Let an agent take part in the runs of a swarm.

    Args:
        swarm: A connection (`nervous_system.connect`).
        agent_id: Who writes; every transition carries it.
        role: Of the agent; one that the wire contract does not know is kept as unspecified.
    """
    bus, url = swarm.bus, swarm.config.bus.url
    servers = redact_url(url)
    async with (
        open_conditional_publisher(
            bus.nc, bus.js, stream=COORDINATION_STREAM, servers=servers
        ) as transitions,
        open_conditional_publisher(
            bus.nc, bus.js, stream=TASKS_STREAM, servers=servers
        ) as messages,
    ):
        yield Coordination(
            agent_id=agent_id,
            log=TransitionLog(bus, url),
            writer=TransitionWriter(
                transitions, agent_id=agent_id, role=known_role(role), redact=swarm.redact
            ),
            queue=TaskQueue(bus, messages, url),
        )


def known_role(role: str) -> AgentRole:
    """Return the wire contract's role of this name; unspecified for roles of one's own."""
    return parse_role(role) if role in ROLE_TOKENS.values() else AgentRole.ROLE_UNSPECIFIED
