"""`swarm orchestrate` and `swarm worker`: the services that bring runs on."""

import asyncio
import secrets
from datetime import timedelta
from typing import Annotated

import typer

from cortex.cli import output
from cortex.cli.memory import open_memory
from cortex.cli.session import Session
from cortex.cli.working import agent_config, open_part, operator_config, stopped_by_signals
from cortex.engine.coordination import open_coordination
from cortex.engine.handlers import HANDLERS, OpenHandler, Workplace, load_handler
from cortex.engine.orchestrator import Orchestrator
from cortex.engine.runs import RunClient
from cortex.engine.worker import DEFAULT_GRACE, Worker
from cortex.errors import HandlerNotFoundError
from cortex.memory.long_term import LongTermMemory
from nervous_system import connect
from nervous_system.swarm import Swarm

ORCHESTRATOR = "orchestrator"


async def orchestrate(ctx: typer.Context) -> None:
    """Bring runs on until stopped: release tasks, put them into the queue, end runs.

    All it knows is in the events of runs: it can be killed at any moment, and any number may run.
    """
    config = operator_config(Session.of(ctx))
    with stopped_by_signals() as stop:
        async with open_part(config, ORCHESTRATOR) as (_, part):
            output.note("orchestrating; Ctrl-C ends it")
            await Orchestrator(part).run(stop)


async def worker(
    ctx: typer.Context,
    role: Annotated[
        str, typer.Option("--role", metavar="ROLE", help="Whose tasks: " + ", ".join(HANDLERS))
    ],
    handler: Annotated[
        str,
        typer.Option("--handler", metavar="MODULE:NAME", help="Your own, for any role."),
    ] = "",
    agent: Annotated[
        str, typer.Option("--agent", metavar="ID", help="Its name; default: made from the role.")
    ] = "",
    slots: Annotated[
        int, typer.Option("--slots", min=1, help="Tasks at the same time, in this process.")
    ] = 1,
    lease: Annotated[
        float | None,
        typer.Option(
            "--lease",
            metavar="SECONDS",
            min=0.1,
            help="How long a silent worker keeps its task; for all workers of the role. "
            "Default: as it is set, else 30.",
        ),
    ] = None,
    grace: Annotated[
        float,
        typer.Option(
            "--grace",
            metavar="SECONDS",
            min=0,
            help="How long the present task may go on when asked to stop; then it is handed back.",
        ),
    ] = DEFAULT_GRACE.total_seconds(),
) -> None:
    """Work on the tasks of one role until stopped, in any number of processes.

    A task whose worker dies goes to another one when the lease ends.
    """
    try:
        open_handler = load_handler(role, handler)
    except HandlerNotFoundError as error:
        raise typer.BadParameter(str(error), param_hint="--handler" if handler else "--role") from (
            error
        )
    name = agent or Session.of(ctx).environment.get("SWARM_AGENT") or _new_name(role)
    names = [name] if slots == 1 else [f"{name}-{number}" for number in range(1, slots + 1)]
    times = (
        None if lease is None else timedelta(seconds=lease),
        timedelta(seconds=grace),
    )
    with stopped_by_signals() as stop:
        async with (
            open_memory(Session.of(ctx)) as memory,
            connect(config=agent_config(Session.of(ctx))) as swarm,
        ):
            long_term = memory.long_term
            output.note(f"{', '.join(names)} at work; Ctrl-C ends it")
            async with asyncio.TaskGroup() as group:
                for one in names:
                    group.create_task(_work(swarm, open_handler, one, role, times, stop, long_term))


async def _work(
    swarm: Swarm,
    open_handler: OpenHandler,
    agent_id: str,
    role: str,
    times: tuple[timedelta | None, timedelta],
    stop: asyncio.Event,
    memory: LongTermMemory,
) -> None:
    lease, grace = times
    async with open_coordination(swarm, agent_id, role=role) as part:
        workplace = Workplace(
            swarm=swarm, runs=RunClient(part), agent_id=agent_id, role=role, memory=memory
        )
        async with open_handler(workplace) as handler:
            await Worker(part, role, handler, lease=lease, grace=grace).run(stop)


def _new_name(role: str) -> str:
    return f"{role}-{secrets.token_hex(3)}"
