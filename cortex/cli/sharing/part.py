"""What the commands of a shared project have in common: taking part for as long as one runs.

Each says that its agent is there, and prolongs the claims of its agent that are due.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from cortex.cli.session import Session
from cortex.coordination.config import ProjectConfig
from cortex.coordination.presence import BEAT_SECONDS, BETWEEN_COMMANDS_SECONDS, STEADY_SECONDS
from cortex.coordination.project import Project, open_project
from cortex.coordination.tokens import HomeTokens
from nervous_system.errors import BusError

if TYPE_CHECKING:
    from cortex.coordination.log import SharedLog
    from nervous_system.comms.contracts import ContentStore

UPKEEP_SECONDS = 2.0
"""How long the end of a command waits for the claims that it prolongs."""


def project_config(session: Session, project: str) -> ProjectConfig:
    """Return which project, as which agent, over which bus.

    Raises:
        NameRefusedError: a project or agent cannot be called so.
    """
    return ProjectConfig.from_env(
        session.environment, session.directory, session.given_home, project=project
    )


class Part:
    """A command that takes part in a project. Made by `open_part`."""

    def __init__(self, project: Project, tokens: HomeTokens, busy: Iterable[str]) -> None:
        self.project = project
        self._tokens = tokens
        self._busy = set(busy)
        self.lost: dict[str, str] = {}
        """Claims that turned out to be lost, with why."""
        self.has_lost = asyncio.Event()

    def free(self, step: str) -> None:
        """Let a step's claim be prolonged, too."""
        self._busy.discard(step)

    async def keep_up(self) -> None:
        """Prolong the claims that are due, once."""
        if not any(one.step not in self._busy for one in self._tokens.all()):
            return
        lost = await self.project.leases.renew_due(self._busy)
        for step, why in lost.items():
            note(f"your claim of {step} is lost: {why}")
        self.lost |= lost
        if lost:
            self.has_lost.set()

    async def stay(self, doing: str, command: Sequence[str]) -> None:
        """Say that the agent is there and prolong its claims, again and again."""
        loop = asyncio.get_running_loop()
        next_beat = loop.time() + BEAT_SECONDS
        while True:
            await self.project.leases.pause(max(0.0, next_beat - loop.time()))
            if loop.time() >= next_beat:
                next_beat = loop.time() + BEAT_SECONDS
                with suppress(BusError):
                    await self.project.roster.announce(
                        doing, command=command, within=STEADY_SECONDS
                    )
            await self.keep_up()


@asynccontextmanager
async def open_part(
    session: Session,
    project: str,
    doing: str,
    *,
    stays: bool = False,
    command: Sequence[str] = (),
    busy: Iterable[str] = (),
) -> AsyncIterator[Part]:
    """Take part in a project for as long as the block runs.

    Args:
        session: of the command.
        project: its name; empty: as the home says.
        doing: what the command does, in a few words.
        stays: it may run for long, and says again and again that it is there.
        command: what it runs.
        busy: steps whose claims it changes itself.

    Raises:
        BusUnavailableError: no bus can be reached.
    """
    config = project_config(session, project)
    tokens = HomeTokens(config.home, config.project, config.agent)
    async with open_project(
        config=config, tokens=tokens, is_present=False, open_contents=_contents(session)
    ) as opened:
        part = Part(opened, tokens, busy)
        within = STEADY_SECONDS if stays else BETWEEN_COMMANDS_SECONDS
        telling = opened.roster.announce(doing, command=command, within=within)
        upkeep = {asyncio.create_task(telling), asyncio.create_task(part.keep_up())}
        staying = {asyncio.create_task(part.stay(doing, command))} if stays else set()
        try:
            yield part
            await _finish(upkeep)
        finally:
            for task in upkeep | staying:
                task.cancel()
            await asyncio.gather(*upkeep, *staying, return_exceptions=True)
            if stays:
                with suppress(BusError):
                    await opened.roster.announce("between commands")


async def _finish(upkeep: "set[asyncio.Task[None]]") -> None:
    """Wait for what goes on beside the command; what fails there has not failed the command."""
    done, _ = await asyncio.wait(upkeep, timeout=UPKEEP_SECONDS)
    for task in done:
        if isinstance(task.exception(), Exception) and not isinstance(task.exception(), BusError):
            note(f"your claims were not prolonged: {task.exception()}")


def _contents(session: Session) -> Any:
    def open_contents(log: "SharedLog") -> "ContentStore":
        from cortex.cli.sharing.contents import SharedContents

        return SharedContents(session, log)

    return open_contents


def note(message: str) -> None:
    """Write a message for people to stderr."""
    print(f"swarm: {message}", file=sys.stderr, flush=True)
