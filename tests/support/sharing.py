"""Agents that share a project on a real bus."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cortex.coordination import Project, ProjectConfig, open_project
from nervous_system.comms.connection import open_nats
from nervous_system.comms.streams import (
    declare_content_bucket,
    declare_streams,
    stream_identity,
    swarm_streams,
)
from nervous_system.home import Home
from tests.support.servers import NatsServer

MEBIBYTE = 1024 * 1024


@dataclass(slots=True)
class Team:
    """The agents of one test."""

    server: NatsServer
    home: Path
    stack: AsyncExitStack

    def config(self, agent: str, url: str = "", run_id: str = "web") -> ProjectConfig:
        return ProjectConfig(
            home=Home(self.home),
            project="web",
            agent=agent,
            url=url or self.server.url,
            run_id=run_id,
        )

    async def join(self, agent: str, url: str = "") -> Project:
        """Let an agent take part until the end of the test."""
        opened = open_project(config=self.config(agent, url))
        return await self.stack.enter_async_context(opened)


@asynccontextmanager
async def team_at(server: NatsServer, home: Path) -> AsyncIterator[Team]:
    """A bus with our streams, and agents that leave at the end."""
    await declare(server.url)
    async with AsyncExitStack() as stack:
        yield Team(server, home, stack)


async def declare(url: str) -> Mapping[str, str]:
    """Declare what coordination needs; return the identities of the streams."""
    async with open_nats(url, name="test") as client:
        jetstream = client.jetstream()
        found = await declare_streams(jetstream, swarm_streams(max_bytes=512 * MEBIBYTE))
        await declare_content_bucket(jetstream, max_bytes=256 * MEBIBYTE)
        return {name: stream_identity(info) for name, info in found.items()}
