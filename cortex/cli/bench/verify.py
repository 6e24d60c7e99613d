"""`swarm verify` as a whole command, start-up included, by the events that it compared."""

import asyncio
import json
import subprocess
import time
from collections.abc import Iterator

from cortex.cli.bench.corpus import Corpus, Made
from cortex.cli.bench.rig import SWARM, Rig
from cortex.cli.errors import CommandFailedError
from nervous_system import Agent, Swarm, SwarmEvent, connect, events

AGENTS = 64
IN_FLIGHT = 32
FILES = 50
"""Of one agent."""
TIMEOUT_SECONDS = 60.0


def verify_rate(rig: Rig) -> float:
    """Return events per second.

    Raises:
        CommandFailedError: it found problems, or could not run.
    """
    start = time.perf_counter()
    command = [SWARM, "verify", "--json", "--home", str(rig.home.root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        raise CommandFailedError(f"verify found problems: {done.stderr or done.stdout}")
    return float(json.loads(done.stdout)["checked"]) / seconds


async def lay_numbered(rig: Rig, count: int) -> int:
    """Publish mixed events through agents, which number and link them; return how many.

    Beside about `count` events these are the first and the last of each agent.
    """
    async with connect(rig.nats_url, home=rig.home.root) as swarm, asyncio.TaskGroup() as group:
        for number in range(AGENTS):
            group.create_task(_live(swarm, number, count // AGENTS))
    return (count // AGENTS + 2) * AGENTS


async def _live(swarm: Swarm, number: int, count: int) -> None:
    """Publish what one agent has to say; its run has files of its own."""
    made = Corpus(seed=number, files=FILES).mixed(count)
    name = f"bench-{number}"
    async with swarm.agent(name, role="coder", run_id=name) as agent, asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(_publish(agent, made))


async def _publish(agent: Agent, made: Iterator[Made]) -> None:
    for one in made:
        payload = events.payload_of(SwarmEvent.FromString(one.payload))
        await agent.emit(payload, wait=True, timeout=TIMEOUT_SECONDS)
