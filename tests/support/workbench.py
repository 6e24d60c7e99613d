"""An agent with a workspace on a real bus, and what the bus then holds of its work."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import nats

import nervous_system as ns
from cortex.tools.config import ShellConfig
from cortex.tools.contents import Contents
from cortex.tools.file_system import FileSystem
from cortex.tools.recording import ToolRecorder
from cortex.tools.shell import Shell
from cortex.tools.workspace import Workspace, open_workspace
from nervous_system.comms.streams import declare_content_bucket, declare_streams, swarm_streams
from nervous_system.config import BusConfig, SpoolConfig, SwarmConfig
from nervous_system.home import Home
from nervous_system.schemas import StateChange, SwarmEvent, ToolCall
from tests.support.servers import NatsServer

WORKSPACE = "w1"
PUBLISH_TIMEOUT = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Workbench:
    """One agent at work."""

    swarm: ns.Swarm
    recorder: ToolRecorder
    workspace: Workspace

    @property
    def root(self) -> Path:
        return self.workspace.root

    @property
    def files(self) -> FileSystem:
        return FileSystem(self.workspace, self.recorder)

    def shell(self, config: ShellConfig | None = None) -> Shell:
        return Shell(self.workspace, self.recorder, config)

    async def events(self) -> list[SwarmEvent]:
        """Return what the agent said, without its signals."""
        stored = [one.event async for one in self.swarm.replay()]
        return [event for event in stored if ns.events.kind_of(event) != "system_signal"]

    async def calls(self) -> list[ToolCall]:
        return [one.tool_call for one in await self.events() if one.HasField("tool_call")]

    async def changes(self) -> list[StateChange]:
        return [one.state_change for one in await self.events() if one.HasField("state_change")]


@asynccontextmanager
async def open_workbench(
    server: NatsServer, directory: Path, *, publish_timeout: timedelta = PUBLISH_TIMEOUT
) -> AsyncIterator[Workbench]:
    """Declare the swarm's streams and give an agent an empty workspace, or what lies there."""
    client = await nats.connect(server.url)
    await declare_streams(client.jetstream(), swarm_streams(max_bytes=10**9))
    await declare_content_bucket(client.jetstream(), max_bytes=10**9)
    await client.close()
    spool = SpoolConfig(directory=directory / "spool")
    bus = BusConfig(url=server.url, spool=spool, publish_timeout=publish_timeout)
    config = SwarmConfig(home=Home(directory / "home"), bus=bus)
    root = directory / "root"
    root.mkdir(parents=True, exist_ok=True)
    async with (
        ns.connect(config=config) as swarm,
        swarm.agent("coder-1", role="coder", run_id="r1") as agent,
    ):
        workspace = await open_workspace(root, WORKSPACE, Contents(directory / "contents"))
        yield Workbench(swarm, ToolRecorder(agent), workspace)
