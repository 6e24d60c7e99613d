"""`swarm recall`: what agents would be reminded of by a question."""

from typing import Annotated, Any

import typer

from cortex.cli import options, output
from cortex.cli.errors import CommandFailedError
from cortex.cli.fresh import FRESH_SECONDS, until_fresh
from cortex.cli.memory import open_memory
from cortex.cli.session import Session
from cortex.cli.times import format_time
from cortex.memory.retrieval import DEFAULT_LIMIT, MAX_LIMIT, Recalled, Recollection, Scope

SHOWN_CHARACTERS = 200
"""Of one memory, in text for people."""
COLUMNS = ("memory_id", "kind", "agent_role", "run_id", "text")


async def recall(
    ctx: typer.Context,
    question: Annotated[
        str, typer.Argument(metavar="QUESTION", help="A task, or what you want to know.")
    ],
    run: Annotated[
        str, typer.Option("--run", metavar="RUN", help="Only what this run left; its whole id.")
    ] = "",
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=MAX_LIMIT, help="The best so many.")
    ] = DEFAULT_LIMIT,
    json: options.Json = False,
    timeout: options.Timeout = FRESH_SECONDS,
    no_wait: options.NoWait = False,
) -> None:
    """Have we done this before? Show the decisions and changes that a question is about.

    By words, and by meaning too where SWARM_EMBEDDING_MODEL names a model.
    """
    if not question.strip():
        raise typer.BadParameter("it is empty: say what to look for", param_hint="QUESTION")
    session = Session.of(ctx)
    if not no_wait:
        await until_fresh(session, timeout)
    try:
        async with open_memory(session) as memory:
            if not await memory.keeper.catch_up(timeout):
                output.note("memory is still being brought up to date: this is a part of it")
            found = await memory.retriever.recall(question, scope=Scope(run=run), limit=limit)
    except TimeoutError as error:
        raise CommandFailedError("history did not answer in time: see `swarm status`") from error
    _show(found, as_json=json)


def _show(found: Recalled, *, as_json: bool) -> None:
    rows = [_row(one) for one in found.found]
    if as_json:
        output.print_json(
            {"mode": found.mode.value, "reason": found.reason or None, "memories": rows}
        )
        return
    output.note(f"searched by {found.mode}" + (f": {found.reason}" if found.reason else ""))
    output.print_table(
        [{**row, "text": str(row["text"])[:SHOWN_CHARACTERS]} for row in rows], COLUMNS
    )


def _row(one: Recollection) -> dict[str, Any]:
    return {
        "memory_id": one.memory_id,
        "kind": one.kind,
        "event_time": format_time(one.time_ns),
        "run_id": one.run_id,
        "agent_role": one.agent_role,
        "text": one.text,
    }
