"""`swarm run`: the swarm does a job on a repository."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from cortex.agents.config import model_config
from cortex.agents.running import Wanted, begin_job, continue_job, transitions, work_on
from cortex.cli import options, output
from cortex.cli.errors import INTERRUPTED, CommandFailedError
from cortex.cli.job_lines import line_of, summary_lines
from cortex.cli.memory import OpenedMemory, open_memory
from cortex.cli.session import Session
from cortex.cli.working import open_part, operator_config, stopped_by_signals
from cortex.engine.coordination import Coordination
from cortex.engine.job import Budget, Check, Job, Outcome, outcome_of
from cortex.engine.replay import RunState
from cortex.engine.runs import RunClient
from cortex.engine.state_machine import RunPhase
from cortex.errors import TaskRefusedError
from cortex.models.choose import open_model
from cortex.models.config import ModelConfig
from cortex.tools.repository import Repository
from nervous_system.swarm import Swarm

AGENT = "swarm-run"
MAX_CODERS = 64
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="MODEL",
        help="`offline`, `openai:NAME`, `anthropic:NAME`. Default: SWARM_MODEL, else offline.",
    ),
]
Coders = Annotated[
    int, typer.Option("--coders", min=1, max=MAX_CODERS, help="Coders at the same time.")
]


async def run(
    ctx: typer.Context,
    task: Annotated[str, typer.Argument(metavar="TASK", help="What is to be done, in words.")],
    repo: Annotated[
        Path, typer.Option("--repo", metavar="PATH", help="A git repository; it stays untouched.")
    ] = Path(),
    model: ModelOption = None,
    coders: Coders = 2,
    check: Annotated[
        list[str] | None,
        typer.Option(
            "--check",
            metavar="NAME=COMMAND",
            help="A command that must succeed before a change is accepted; may be repeated.",
        ),
    ] = None,
    no_tests: Annotated[
        bool, typer.Option("--no-tests", help="Do not run the repository's own tests.")
    ] = False,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", min=1, help="Most that the run may use.")
    ] = None,
    max_cost: Annotated[
        float | None, typer.Option("--max-cost", min=0.0, metavar="USD", help="Most it may cost.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Let the swarm work on a repository: plan, change, review, commit on a branch of its own.

    Your checkout and your branch stay as they are. It starts the stack of this home if none runs.
    """
    session = Session.of(ctx)
    if not task.strip():
        raise typer.BadParameter("it is empty: say what is to be done", param_hint="TASK")
    cost = None if max_cost is None else f"{max_cost:f}"
    chosen = ModelConfig.from_env(
        session.environment, model=model, max_tokens=max_tokens, max_cost=cost
    )
    wanted = Wanted(
        task=task.strip(),
        repository=(session.directory / repo).resolve(),
        model=chosen.name,
        coders=coders,
        checks=tuple(_parse_check(one) for one in check or ()),
        has_tests_check=not no_tests,
        budget=Budget(max_tokens=max_tokens, max_usd=max_cost),
    )
    await _check_model(chosen, wanted.task)
    await _check_repository(wanted.repository)
    ensure_stack(session)
    await _begin_and_work(session, wanted, as_json=json)


async def continue_run(session: Session, run_id: str, *, as_json: bool) -> None:
    """Go on with a run on a repository that nobody works on; what `swarm resume` does."""
    async with (
        open_memory(session) as memory,
        open_part(operator_config(session), AGENT) as (swarm, part),
    ):
        runs = RunClient(part)
        job = await continue_job(runs, run_id)
        await _check_model(model_config(job, session.environment), job.task)
        await _check_repository(job.repository)
        await _work(swarm, part, runs, job, memory, as_json=as_json)


def ensure_stack(session: Session) -> None:
    """Start the stack of the home, unless one runs or a bus is named."""
    from infrastructure.stack.lock import is_stack_running
    from infrastructure.stack.remote import start_detached

    if session.environment.get("SWARM_NATS_URL") or is_stack_running(session.home):
        return
    output.note(f"starting the stack of {session.home.root}; `swarm down` stops it")
    start_detached(
        session.home, environment=session.environment, log_format=session.log_format.value
    )


async def _check_model(config: ModelConfig, task: str) -> None:
    """Say which model works; refuse what it cannot do before anything is started for it."""
    async with open_model(config) as model:
        output.note(f"model: {model.description}")
        try:
            model.rules_for(task)
        except TaskRefusedError as error:
            raise CommandFailedError(f"the task was refused: {error}") from error


async def _check_repository(path: Path) -> None:
    """Refuse a repository before anything is started for it."""
    for notice in (await Repository.open(path)).facts.notices:
        output.note(notice)


async def _begin_and_work(session: Session, wanted: Wanted, *, as_json: bool) -> None:
    async with (
        open_memory(session) as memory,
        open_part(operator_config(session), AGENT) as (swarm, part),
    ):
        runs = RunClient(part)
        job = await begin_job(swarm, runs, AGENT, wanted)
        output.note(f"run {job.run_id} on {job.repository} at {job.base_commit[:12]}")
        await _work(swarm, part, runs, job, memory, as_json=as_json)


async def _work(
    swarm: Swarm,
    part: Coordination,
    runs: RunClient,
    job: Job,
    memory: OpenedMemory,
    *,
    as_json: bool,
) -> None:
    output.note(f"memory of earlier runs: {memory.describe()}")
    await memory.keeper.catch_up(0)  # begun here, so that the first agent need not wait for it
    with stopped_by_signals() as stop:
        telling = asyncio.create_task(_tell(runs, job.run_id))
        try:
            state = await work_on(swarm, part, job.run_id, job.coders, stop, memory.long_term)
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
        _report(state, outcome_of(state), as_json=as_json)
        if stop.is_set() and not state.has_ended:
            output.note(f"stopped; go on with: swarm resume {job.run_id}")
            raise typer.Exit(INTERRUPTED)


async def _tell(runs: RunClient, run_id: str) -> None:
    state = RunState(run_id=run_id)
    async for transition in transitions(runs, run_id):
        if state.apply(transition) and (line := line_of(state, transition)):
            output.note(line)


def _report(state: RunState, outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        output.print_json(outcome.as_document())
    else:
        print("\n".join(summary_lines(state, outcome)))
    if state.phase is RunPhase.FAILED:
        raise CommandFailedError(
            f"run {state.run_id} failed: {state.reason}: see `swarm tasks {state.run_id}`, "
            f"and try again with `swarm resume {state.run_id}`"
        )
    if not outcome.accepted and any(one.task == "plan" for one in outcome.refused):
        only = outcome.refused[0]
        raise CommandFailedError(f"the task was refused: {only.reason}")


def _parse_check(text: str) -> Check:
    name, equals, command = text.partition("=")
    if not equals or not name.strip() or not command.strip():
        raise typer.BadParameter(f"{text!r} is not NAME=COMMAND", param_hint="--check")
    return Check(name=name.strip(), command=command.strip())
