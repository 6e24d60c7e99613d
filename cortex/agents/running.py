"""Begins a run on a repository, and brings it to its end with agents in this process."""

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from cortex.agents.checking import command_of_tests
from cortex.agents.roles import host_role
from cortex.agents.site import Sites, open_contents, run_directory
from cortex.engine.coordination import Coordination, open_coordination
from cortex.engine.job import ARCHITECT, CODER, PLAN_TASK, REVIEWER, Budget, Check, Job, parse_job
from cortex.engine.orchestrator import Orchestrator
from cortex.engine.replay import RunState
from cortex.engine.runs import RunClient
from cortex.engine.state_machine import RunPhase
from cortex.engine.tasks import Task, Transition
from cortex.engine.worker import Worker
from cortex.memory.long_term import LongTermMemory
from cortex.tools.recording import ToolRecorder
from cortex.tools.repository import Repository
from cortex.tools.run_repository import open_run_repository, remove_directory
from cortex.tools.workspace import open_workspace
from nervous_system.events import new_event_id
from nervous_system.swarm import Swarm
from nervous_system.telemetry.linking import CAUSED_BY, RUN

TESTS = "tests"
LEASE = timedelta(seconds=10)
"""How soon the task of a worker that died goes to another."""
GRACE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the user asks for."""

    task: str
    repository: Path
    model: str
    coders: int = 2
    checks: tuple[Check, ...] = ()
    """Besides the repository's own tests."""
    has_tests_check: bool = True
    budget: Budget = field(default_factory=Budget)


async def begin_job(swarm: Swarm, runs: RunClient, agent_id: str, wanted: Wanted) -> Job:
    """Record what a run starts from, and make the run with the architect's task.

    Raises:
        RepositoryError: the repository cannot be worked on.
        BusError: the bus is away.
    """
    repository = await Repository.open(wanted.repository)
    run_id = new_event_id()
    directory = run_directory(swarm.config.home, run_id)
    run_repository = await open_run_repository(repository, directory, run_id)
    job = Job(
        run_id=run_id,
        task=wanted.task,
        repository=repository.facts.root,
        base_commit=repository.facts.base_commit,
        model=wanted.model,
        coders=wanted.coders,
        budget=wanted.budget,
    )
    async with swarm.agent(agent_id, role="operator", run_id=run_id) as agent:
        tools = ToolRecorder(agent)
        tree = await run_repository.add_work_tree("base", job.base_commit)
        workspace = await open_workspace(tree.root, run_id, open_contents(directory))
        created = await workspace.announce(tools, swarm.content, base_commit=job.base_commit)
        paths = [path.decode("utf-8", "replace") for path in workspace.manifest]
        await run_repository.remove_work_tree(tree)
        job = replace(job, workspace_event=created.event_id, checks=_checks(wanted, paths))
        carrier = agent.carrier(caused_by=(created,))
    await runs.create(job.as_document(), run_id=run_id)
    await _submit_plan(runs, run_id, carrier)
    return job


async def continue_job(runs: RunClient, run_id: str) -> Job:
    """Return the job of a run that goes on, with the architect's task if that was not reached.

    Raises:
        ValueError: the run is no job on a repository.
    """
    state = await runs.view(run_id)
    job = parse_job(state.document)
    if PLAN_TASK not in state.tasks:
        await _submit_plan(runs, run_id, {CAUSED_BY: job.workspace_event, RUN: run_id})
    return job


async def _submit_plan(runs: RunClient, run_id: str, carrier: Mapping[str, str]) -> None:
    plan = Task(task_id=PLAN_TASK, run_id=run_id, role=ARCHITECT, title="Plan", carrier=carrier)
    await runs.submit([plan])


async def work_on(
    swarm: Swarm,
    part: Coordination,
    run_id: str,
    coders: int,
    stop: asyncio.Event,
    memory: LongTermMemory | None = None,
) -> RunState:
    """Bring a run to its end, or go on until `stop` is set; return the run as it is then.

    Raises:
        RunNotFoundError: there is no such run.
    """
    ended = asyncio.Event()
    roles = [(ARCHITECT, 1), *((CODER, number + 1) for number in range(coders)), (REVIEWER, 1)]
    async with AsyncExitStack() as stack:
        runs = RunClient(part)
        sites = await stack.enter_async_context(Sites(swarm, runs, memory))
        workers = [
            await _open_worker(stack, swarm, sites, f"{role}-{number}", role)
            for role, number in roles
        ]
        async with asyncio.TaskGroup() as group:
            group.create_task(Orchestrator(part).run(ended))
            for worker in workers:
                group.create_task(worker.run(ended))
            waiting = group.create_task(runs.wait(run_id))
            stopping = asyncio.create_task(stop.wait())
            try:
                await asyncio.wait({waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                ended.set()
                waiting.cancel()
                stopping.cancel()
    state = await RunClient(part).view(run_id)
    if state.phase in {RunPhase.SUCCEEDED, RunPhase.CANCELLED}:
        # Nothing goes on from there: commits are in the user's repository, the rest in the stream.
        await asyncio.to_thread(remove_directory, run_directory(swarm.config.home, run_id))
    return state


async def transitions(runs: RunClient, run_id: str) -> AsyncIterator[Transition]:
    """Yield every transition of a run until the run has ended."""
    state = RunState(run_id=run_id)
    following = cast("Any", runs.watch(run_id))
    async with aclosing(following):
        async for transition in following:
            state.apply(transition)
            yield transition
            if state.has_ended and not state.open_count:
                return


async def _open_worker(
    stack: AsyncExitStack, swarm: Swarm, sites: Sites, agent_id: str, role: str
) -> Worker:
    part = await stack.enter_async_context(open_coordination(swarm, agent_id, role=role))
    host = await stack.enter_async_context(host_role(swarm, agent_id, role, sites))
    return Worker(part, role, host, lease=LEASE, grace=GRACE)


def _checks(wanted: Wanted, paths: Sequence[str]) -> tuple[Check, ...]:
    has_pytest = importlib.util.find_spec("pytest") is not None
    command = command_of_tests(paths, has_pytest=has_pytest) if wanted.has_tests_check else None
    own = () if command is None else (Check(name=TESTS, command=command),)
    return (*own, *wanted.checks)
