"""Where the agents of a run work on this machine: the run's repository, its model, its contents."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cortex.agents.base import speaker
from cortex.agents.config import model_config
from cortex.engine.claims import Claim
from cortex.engine.job import Job, newest_accepted, parse_job
from cortex.engine.replay import RunState
from cortex.engine.runs import RunClient
from cortex.errors import TaskRefusedError
from cortex.memory.long_term import LongTermMemory
from cortex.memory.notebook import Notebook
from cortex.models.budget import Spending
from cortex.models.calls import ModelCall
from cortex.models.choose import open_model
from cortex.models.offline import OFFLINE
from cortex.models.port import Model
from cortex.tools.config import ShellConfig
from cortex.tools.contents import Contents
from cortex.tools.file_system import FileSystem
from cortex.tools.finishing import unbroken
from cortex.tools.git_ops import GitOps
from cortex.tools.linter import Linter
from cortex.tools.recording import ToolRecorder
from cortex.tools.repository import Repository
from cortex.tools.run_repository import RunRepository, WorkTree, open_run_repository
from cortex.tools.shell import Shell
from cortex.tools.workspace import Workspace, open_workspace
from nervous_system import events
from nervous_system.home import Home
from nervous_system.swarm import Swarm

WORK = "work"
"""Directory of the home that holds one directory for each run."""


def run_directory(home: Home, run_id: str) -> Path:
    """Return where a run's files lie in a home."""
    return home.root / WORK / run_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What a work tree starts from: a commit of the run's branch and the event that made it so."""

    commit: str
    event_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A work tree, and the tools in it, of one agent for one task."""

    tree: WorkTree
    workspace: Workspace
    base: Base
    files: FileSystem
    linter: Linter
    git: GitOps


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the agents of one run share."""

    job: Job
    runs: RunClient
    swarm: Swarm
    repository: RunRepository
    contents: Contents
    model: Model
    directory: Path
    memory: LongTermMemory | None = None
    """What earlier runs left; None: there is no history to ask."""
    notebooks: dict[str, Notebook] = field(default_factory=dict)
    """What each agent keeps in mind, by agent id."""

    async def state(self) -> RunState:
        """Return the run as it is now."""
        return await self.runs.view(self.job.run_id)

    def base(self, state: RunState) -> Base:
        """Return what work that begins now starts from."""
        commit, event_id = newest_accepted(state) or (
            self.job.base_commit,
            self.job.workspace_event,
        )
        return Base(commit=commit, event_id=event_id)

    @asynccontextmanager
    async def fork(self, tools: ToolRecorder, claim: Claim, base: Base) -> AsyncIterator[Place]:
        """Make a work tree for one claim and say whose workspace it is a fork of.

        What it starts from is the run's workspace at that event, so no content is stored again.
        Names hold the claim's fence, which no other claim has: not one of another process, whose
        agents may be called the same, and not a further attempt at the same task. The work tree is
        removed in the end; what was done there is in the stream.
        """
        git = GitOps(self.repository, tools)
        tree = await git.add_work_tree(f"{claim.agent_id}-{claim.fence}", base.commit)
        try:
            yield await self._furnish(tools, git, tree, claim, base)
        finally:
            await unbroken(self.repository.remove_work_tree(tree))

    async def _furnish(
        self, tools: ToolRecorder, git: GitOps, tree: WorkTree, claim: Claim, base: Base
    ) -> Place:
        what = "review" if claim.is_review else claim.task.task_id
        workspace_id = f"{self.job.run_id}/{what}-{claim.fence}"
        workspace = await open_workspace(tree.root, workspace_id, self.contents)
        created = events.workspace_created(
            workspace_id,
            parent_workspace_id=self.job.run_id,
            parent_event_id=base.event_id,
            base_commit=base.commit,
        )
        tools.note(await tools.agent.emit(created, workspace_id=workspace_id))
        compiled = str(self.directory / "pycache")
        shell = Shell(workspace, tools, ShellConfig(environment={"PYTHONPYCACHEPREFIX": compiled}))
        return Place(
            tree=tree,
            workspace=workspace,
            base=base,
            files=FileSystem(workspace, tools),
            linter=Linter(shell),
            git=git,
        )


class Sites:
    """The sites of this process, each opened once; used as an async context manager."""

    def __init__(self, swarm: Swarm, runs: RunClient, memory: LongTermMemory | None = None) -> None:
        self._swarm = swarm
        self._runs = runs
        self._memory = memory
        self._open: dict[str, Site] = {}
        self._lock = asyncio.Lock()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Return itself; sites open when they are asked for."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the models of all sites."""
        await self._stack.aclose()

    async def of(self, run_id: str) -> Site:
        """Return the site of a run.

        Raises:
            TaskRefusedError: the run is not one on a repository.
            RepositoryError: its repository is gone.
            ConfigError: its model cannot be used here.
        """
        async with self._lock:
            if run_id not in self._open:
                self._open[run_id] = await self._stack.enter_async_context(
                    open_site(self._swarm, self._runs, run_id, self._memory)
                )
            return self._open[run_id]


@asynccontextmanager
async def open_site(
    swarm: Swarm, runs: RunClient, run_id: str, memory: LongTermMemory | None = None
) -> AsyncIterator[Site]:
    """Open the site of a run; raises as `Sites.of` does."""
    state = await runs.view(run_id)
    try:
        job = parse_job(state.document)
    except ValueError as error:
        raise TaskRefusedError(reason=str(error)) from error
    directory = run_directory(swarm.config.home, run_id)
    repository = await open_run_repository(await Repository.open(job.repository), directory, run_id)
    config = model_config(job)
    async with open_model(config, listener=say_call, spent=await spent_so_far(swarm, job)) as model:
        yield Site(
            job=job,
            runs=runs,
            swarm=swarm,
            repository=repository,
            contents=open_contents(directory),
            model=model,
            directory=directory,
            memory=memory,
        )


def open_contents(directory: Path) -> Contents:
    """Return the contents of a run's directory, made where it is missing."""
    kept = directory / "contents"
    kept.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Contents(kept)


async def say_call(call: ModelCall) -> None:
    """Have the agent at work say what a call to its model was."""
    agent = speaker.get()
    if agent is None:
        return
    attributes = {} if call.cost_microusd is not None else {"cost": "unknown"}
    await agent.emit(
        events.model_call(
            call.model_name,
            input_tokens=call.input_tokens,
            output_tokens=call.output_tokens,
            cost_microusd=call.cost_microusd or 0,
            duration_us=int(call.duration.total_seconds() * 1_000_000),
            outcome=call.outcome.value,
        ),
        attributes={**attributes, **({"tokens": "estimated"} if call.is_estimated else {})},
    )


async def spent_so_far(swarm: Swarm, job: Job) -> Spending | None:
    """Return what a run has spent on its model before, as its events say."""
    if job.model == OFFLINE:
        return None
    tokens = cost = 0
    async for stored in swarm.replay(subject="swarm.events.*.model_call.>"):
        if stored.event.run_id == job.run_id:
            said = stored.event.model_call
            tokens += said.input_tokens + said.output_tokens
            cost += said.cost_microusd
    return Spending(tokens=tokens, cost_microusd=cost)
