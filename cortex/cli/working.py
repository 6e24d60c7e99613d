"""What the commands of runs share: a connection, a part in runs, an end by signal."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from cortex.cli.places import bus_url
from cortex.cli.session import Session
from cortex.engine.coordination import Coordination, open_coordination
from nervous_system import connect
from nervous_system.config import SwarmConfig
from nervous_system.swarm import Swarm

OPERATOR = "operator"


def operator_config(session: Session) -> SwarmConfig:
    """Return the settings of a connection with the operator's rights.

    Raises:
        StackDownError: no stack runs, and no variable names a bus.
    """
    return SwarmConfig.from_env(
        session.environment, session.directory, session.home.root, bus_url(session)
    )


def agent_config(session: Session) -> SwarmConfig:
    """Return the settings of a connection with the rights of an agent.

    Raises:
        ConfigError: nothing says where the bus is.
    """
    return SwarmConfig.from_env(session.environment, session.directory, session.home.root)


@asynccontextmanager
async def open_part(
    config: SwarmConfig, agent_id: str = OPERATOR
) -> AsyncIterator[tuple[Swarm, Coordination]]:
    """Connect and take part in runs."""
    async with connect(config=config) as swarm, open_coordination(swarm, agent_id) as part:
        yield swarm, part


@contextmanager
def stopped_by_signals() -> Iterator[asyncio.Event]:
    """Turn SIGINT and SIGTERM into an event for as long as the block runs."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
