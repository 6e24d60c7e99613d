"""A project: what agents share, for one of them. The same words as the commands.

    from cortex.coordination import open_project

    async with open_project(agent="coder-1") as project:
        await project.claim("build")
        await project.send("tester", "the build is ready", step="build")
        await project.complete("build", note="see dist/")

Entering says that the agent is there, and goes on saying so; claims are kept while the block runs.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import cache, cached_property
from typing import TYPE_CHECKING

from cortex.coordination.causes import Causes
from cortex.coordination.config import PATTERNS_VARIABLE, ProjectConfig
from cortex.coordination.log import Author, SharedLog, open_shared_log
from cortex.coordination.presence import BEAT_SECONDS, GONE, STEADY_SECONDS, Presence, Roster
from cortex.coordination.steps import DEFAULT_WAIT_SECONDS, Handoff, Steps
from cortex.coordination.steps_rules import DEFAULT_LEASE_SECONDS, Step, StepState
from cortex.coordination.tokens import OwnTokens, Tokens
from nervous_system.comms.contracts import ContentStore
from nervous_system.errors import BusError, BusUnavailableError
from nervous_system.home import REDACTION_KEY_BYTES, Home
from nervous_system.schemas import SwarmEvent

if TYPE_CHECKING:
    from cortex.coordination.artifacts import Artifacts
    from cortex.coordination.leases import LeaseKeeper
    from cortex.coordination.mailbox import Mailbox, Sent, Shown
    from cortex.coordination.memory import SharedMemory

OpenContents = Callable[[SharedLog], ContentStore]


class Project:
    """One agent's part in a project. Made by `open_project`.

    Its parts are loaded when they are first used: a command needs one of them.
    """

    def __init__(
        self, config: ProjectConfig, log: SharedLog, tokens: Tokens, open_contents: OpenContents
    ) -> None:
        self.config = config
        self._log = log
        self._tokens = tokens
        self._open_contents = open_contents
        self._causes = Causes(tokens)
        self._steps = Steps(log, tokens, self._causes)
        self.roster = Roster(log)

    @cached_property
    def mailbox(self) -> "Mailbox":
        """Messages: `send inbox follow remove`."""
        from cortex.coordination.mailbox import Mailbox

        return Mailbox(self._log, self._causes)

    @cached_property
    def memory(self) -> "SharedMemory":
        """Values: `get set list history delete watch`."""
        from cortex.coordination.memory import SharedMemory

        return SharedMemory(self._log, self._causes)

    @cached_property
    def artifact(self) -> "Artifacts":
        """Files: `upload download list`."""
        from cortex.coordination.artifacts import Artifacts

        return Artifacts(self._log, self._open_contents(self._log), self._causes)

    @cached_property
    def leases(self) -> "LeaseKeeper":
        """Keeps what this agent holds."""
        from cortex.coordination.leases import LeaseKeeper

        return LeaseKeeper(self._steps, self._tokens)

    @property
    def name(self) -> str:
        """Name of the project."""
        return self.config.project

    @property
    def agent_id(self) -> str:
        """Who takes part."""
        return self.config.agent

    async def claim(
        self,
        step: str,
        *,
        lease: float = DEFAULT_LEASE_SECONDS,
        token: int = 0,
        command: Sequence[str] = (),
        because: Iterable[str] = (),
    ) -> Step:
        """Claim a step for `lease` seconds; see `Steps.claim`."""
        return await self._steps.claim(
            step, lease=lease, token=token, command=command, because=because
        )

    async def release(self, step: str, *, token: int = 0, because: Iterable[str] = ()) -> Step:
        """Let go of a step without a result; see `Steps.release`."""
        return await self._steps.release(step, token=self._token(step, token), because=because)

    async def complete(
        self,
        step: str,
        *,
        state: StepState = StepState.COMPLETE,
        note: str = "",
        to: str = "",
        next_action: str = "",
        changed_files: Sequence[str] = (),
        exit_code: int | None = None,
        token: int = 0,
        force: bool = False,
        because: Iterable[str] = (),
    ) -> Step:
        """End a step, with a record for whoever comes next; see `Steps.complete`."""
        handoff = Handoff(
            note=note,
            next_agent=to,
            next_action=next_action,
            changed_files=changed_files,
            exit_code=exit_code,
        )
        return await self._steps.complete(
            step,
            state=state,
            handoff=handoff,
            token=self._token(step, token),
            force=force,
            because=because,
        )

    async def step_status(self, step: str) -> Step:
        """Return a step as it is now."""
        return await self._steps.status(step)

    async def steps(self) -> list[Step]:
        """Return all steps."""
        return await self._steps.list()

    async def wait_for(
        self, *steps: str, timeout: float | None = DEFAULT_WAIT_SECONDS
    ) -> Sequence[Step]:
        """Return when all of some steps are complete; see `Steps.wait_for`."""
        return await self._steps.wait_for(*steps, timeout=timeout)

    async def send(
        self,
        recipient: str,
        text: str,
        *,
        step: str = "",
        hold: bool = False,
        because: Iterable[str] = (),
    ) -> "Sent":
        """Tell an agent something, or everybody (`_broadcast`); see `Mailbox.send`."""
        return await self.mailbox.send(recipient, text, step=step, hold=hold, because=because)

    async def inbox(self, *, new: bool = False) -> "list[Shown]":
        """Return what lies in the mailbox, and take it for shown; see `Mailbox.inbox`."""
        return await self.mailbox.inbox(new=new)

    async def agents(self) -> list[Presence]:
        """Return the agents that have ever been there, by name."""
        return await self.roster.list()

    def holds(self, step: str, token: int) -> bool:
        """Whether this agent's claim of a step still stands, as far as is known here."""
        held = self._tokens.get(step)
        return held is not None and held.token == token

    def _token(self, step: str, given: int) -> int:
        return given or self.config.token_for(step)


@asynccontextmanager
async def open_project(
    project: str = "",
    agent: str = "",
    *,
    config: ProjectConfig | None = None,
    is_present: bool = True,
    tokens: Tokens | None = None,
    open_contents: OpenContents | None = None,
) -> AsyncIterator[Project]:
    """Take part in a project.

    Args:
        project: its name; by default what `swarm init` has said, else the directory's.
        agent: who takes part; by default SWARM_AGENT, what `swarm init` has said, or the user.
        config: all settings at once, instead of the environment.
        is_present: say that the agent is there, and keep its claims, until the end of the block.
        tokens: where tokens of claims are kept; by default in this process. With `HomeTokens` they
            are those of the commands.
        open_contents: where the contents of artifacts lie; by default on the bus.

    Raises:
        BusUnavailableError: no server answers.
        NameRefusedError: a project or agent cannot be called so.
    """
    settings = config or ProjectConfig.from_env(project=project, agent=agent)
    if not settings.url:
        raise BusUnavailableError(
            servers=f"home {settings.home.root}", reason="no stack runs there"
        )
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(
            open_shared_log(settings.url, _author(settings), redact=_redactor(settings))
        )
        opened = Project(settings, log, tokens or OwnTokens(), open_contents or bus_contents)
        if is_present:
            await stack.enter_async_context(_present(opened))
        yield opened


@asynccontextmanager
async def _present(project: Project) -> AsyncIterator[None]:
    """Say that the agent is there, and keep its claims, for as long as the block runs."""
    with suppress(BusError):
        await project.roster.announce("takes part", within=STEADY_SECONDS)
    beating = asyncio.create_task(_beat(project), name="presence")
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        with suppress(BusError):
            await project.roster.announce("", status=GONE)


async def _beat(project: Project) -> None:
    loop = asyncio.get_running_loop()
    last = loop.time()
    while True:
        if loop.time() - last >= BEAT_SECONDS:
            last = loop.time()
            with suppress(BusError):
                await project.roster.announce("takes part", within=STEADY_SECONDS)
        await project.leases.renew_due()
        await project.leases.pause(BEAT_SECONDS)


def _author(config: ProjectConfig) -> Author:
    link = None
    if config.carrier:
        from nervous_system.telemetry.linking import read_carrier

        link = read_carrier(config.carrier)
    return Author(agent=config.agent, project=config.project, run_id=config.run_id, link=link)


def bus_contents(log: SharedLog) -> ContentStore:
    """Return the contents that lie on the bus."""
    from nervous_system.comms.objects import BusContentStore

    return BusContentStore(log.jetstream, servers=log.servers)


def _redactor(config: ProjectConfig) -> Callable[[SwarmEvent], object]:
    """Return what takes secrets out of events; what it needs is loaded with the first text."""

    @cache
    def prepare() -> None:
        from nervous_system.config import use_configured_patterns

        use_configured_patterns({PATTERNS_VARIABLE: config.own_patterns}, config.home)

    def redact(event: SwarmEvent) -> None:
        kind = event.WhichOneof("payload")
        if not config.is_redacting or kind not in _WITH_TEXT:
            return
        if kind == "step_transition" and not event.step_transition.step_document:
            return
        from nervous_system.telemetry.redaction import redact_event

        prepare()
        redact_event(event, lambda: _redaction_key(config.home))

    return redact


_WITH_TEXT = frozenset({"step_transition", "message", "memory_change", "system_signal"})


def _redaction_key(home: Home) -> bytes:
    try:
        key = home.redaction_key()
    except OSError:  # a home that cannot be written: a digest under a key that nobody knows
        key = b""
    return key if len(key) == REDACTION_KEY_BYTES else secrets.token_bytes(REDACTION_KEY_BYTES)
