"""`swarm cancel`, `swarm pause`, `swarm resume`, `swarm tasks`: runs, from outside."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Any

import typer

from cortex.cli import options, output
from cortex.cli.session import Session
from cortex.cli.working import open_part, operator_config
from cortex.engine.log import TransitionLog
from cortex.engine.replay import RunState, TaskView
from cortex.engine.runs import RunClient
from cortex.engine.state_machine import RunPhase, TaskState
from cortex.engine.steps import Close, Move, next_steps

Run = Annotated[str, typer.Argument(metavar="RUN", help="Id of the run, or its beginning.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the record.")]
TABLE = ("run_id", "task_id", "role", "state", "holder", "attempt", "reason", "title")

PATIENCE_SECONDS = 2.0
"""For an orchestrator to take up what was asked for."""
POLL_SECONDS = 0.05

_Action = Callable[[RunClient, str], Awaitable[RunPhase]]


async def cancel(
    ctx: typer.Context, run: Run, reason: Reason = "", json: options.Json = False
) -> None:
    """Cancel a run: its tasks end, those that are worked on within seconds.

    What is done by then stays done.
    """
    await _control(ctx, run, json, lambda client, run_id: client.cancel(run_id, reason))


async def pause(
    ctx: typer.Context, run: Run, reason: Reason = "", json: options.Json = False
) -> None:
    """Pause a run: what is worked on goes on, nothing else is begun."""
    await _control(ctx, run, json, lambda client, run_id: client.pause(run_id, reason))


async def resume(
    ctx: typer.Context,
    run: Run,
    reason: Reason = "",
    no_work: Annotated[
        bool, typer.Option("--no-work", help="Leave the work to workers that run elsewhere.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Go on with a run: a paused one, a failed one (dead tasks are tried again), a stopped one.

    A run on a repository is worked on here until it ends, as by `swarm run`.
    """
    session = Session.of(ctx)
    async with open_part(operator_config(session)) as (_, part):
        client = RunClient(part)
        run_id = await client.find(run)
        state = await client.view(run_id)
        is_job = "repository" in state.document
        is_done = is_job and state.phase is RunPhase.SUCCEEDED  # killed before it could say so
        if not is_done:
            await client.resume(run_id, reason)
        if not is_job or no_work:
            _say(await _when_carried_out(client, run_id), is_json=json)
            return
    from cortex.cli.run_command import continue_run

    await continue_run(session, run_id, as_json=json)


async def tasks(
    ctx: typer.Context,
    run: Annotated[
        str, typer.Argument(metavar="[RUN]", help="Id of a run, or its beginning.")
    ] = "",
    dead: Annotated[
        bool, typer.Option("--dead", help="Only those that are dead, without a RUN of all runs.")
    ] = False,
    json: options.Json = False,
) -> None:
    """List tasks with their state: of a run, or of all that have not ended."""
    async with open_part(operator_config(Session.of(ctx))) as (_, part):
        runs = await _chosen(part.log, RunClient(part), run, is_all=dead)
    rows = [
        describe(view)
        for state in runs
        for view in state.tasks.values()
        if not dead or view.state is TaskState.DEAD
    ]
    if json:
        output.print_json(rows)
    else:
        output.print_table(rows, TABLE)


async def _chosen(
    log: TransitionLog, client: RunClient, prefix: str, *, is_all: bool
) -> list[RunState]:
    if prefix:
        return [await log.run(await client.find(prefix))]
    known: Iterable[RunState] = (await log.runs()).values()
    return [await log.run(one.run_id) for one in known if is_all or not one.has_ended]


async def _control(ctx: typer.Context, run: str, is_json: bool, action: _Action) -> None:
    async with open_part(operator_config(Session.of(ctx))) as (_, part):
        client = RunClient(part)
        run_id = await client.find(run)
        await action(client, run_id)
        state = await _when_carried_out(client, run_id)
    _say(state, is_json=is_json)


async def _when_carried_out(client: RunClient, run_id: str) -> RunState:
    """Return a run when an orchestrator has done its part, or none has for a while."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        state = await client.view(run_id)
        if not any(isinstance(step, Move | Close) for step in next_steps(state)):
            return state
        if time.monotonic() > deadline:
            output.note(
                "this is recorded, and no orchestrator has taken it up: "
                "`swarm orchestrate` carries it out, now or later"
            )
            return state
        await asyncio.sleep(POLL_SECONDS)


def _say(state: RunState, *, is_json: bool) -> None:
    if is_json:
        output.print_json({"run_id": state.run_id, "state": str(state.phase)})
    else:
        print(f"run {state.run_id} is {state.phase}")


def describe(view: TaskView) -> dict[str, Any]:
    """Return what is shown of one task."""
    return {
        "run_id": view.task.run_id,
        "task_id": view.task.task_id,
        "title": view.task.title,
        "role": view.queue_role,
        "priority": view.task.priority,
        "depends_on": list(view.task.depends_on),
        "state": view.state.value,
        "holder": view.worker if view.fence else None,
        "attempt": view.attempt,
        "max_attempts": view.task.max_attempts,
        "round": view.round,
        "changed_at": view.changed_at,
        "reason": view.reason,
    }
