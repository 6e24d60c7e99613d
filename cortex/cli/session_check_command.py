"""`swarm session check`: what only hooks saw of a session, and what only its transcript."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from cortex.cli import options, output
from cortex.cli.errors import CommandFailedError
from cortex.cli.fresh import FRESH_SECONDS, wait_until_fresh
from cortex.cli.places import open_reader
from cortex.cli.session import Session
from infrastructure.history.client import HistoryClient
from infrastructure.history.query_text import query_text
from infrastructure.intake.hooks.agreement import Agreement, compare


def check(
    ctx: typer.Context,
    session_id: Annotated[
        str, typer.Argument(metavar="ID", help="The session, or the beginning of its name.")
    ],
    json: options.Json = False,
    timeout: options.Timeout = FRESH_SECONDS,
    no_wait: options.NoWait = False,
) -> None:
    """Say what only hooks saw of a session, and what only its transcript did.

    Calls of tools are compared by their ids, prompts by their text, sub-agents by their names.
    Exits 1 where something was not seen by all sources.
    """
    session = Session.of(ctx)
    wait_until_fresh(session, timeout, no_wait=no_wait)
    with open_reader(session) as history:
        name, lines = _lines(history, session_id)
        rows = history.query(query_text("session_sources"), {"session": name})
    agreement = compare([row["source"] for row in lines], rows)
    if json:
        output.print_json(_as_object(name, lines, agreement))
    else:
        _print(name, lines, agreement)
    if not agreement.is_complete:
        raise CommandFailedError(
            f"{len(agreement.differences)} things were not seen by all sources of {name}"
        )


def _lines(history: HistoryClient, given: str) -> tuple[str, Sequence[Mapping[str, Any]]]:
    """Return the name of a session and the lines of it by source.

    Raises:
        CommandFailedError: there is none of that name, or several.
    """
    rows = history.query(query_text("session_lines"), {"session": given})
    names = sorted({str(row["session"]) for row in rows})
    if given in names:
        names = [given]
    if not names:
        raise CommandFailedError(f"no session {given}: `swarm session list` shows them")
    if len(names) > 1:
        raise CommandFailedError(f"{given} begins {len(names)} sessions: {', '.join(names[:5])}")
    return names[0], [row for row in rows if row["session"] == names[0]]


def _as_object(
    name: str, lines: Sequence[Mapping[str, Any]], agreement: Agreement
) -> dict[str, Any]:
    return {
        "session": name,
        "harness": lines[0]["harness"],
        "sources": [{"source": row["source"], "lines": row["lines"]} for row in lines],
        "complete": agreement.is_complete,
        "counts": agreement.counts,
        "differences": [asdict(one) for one in agreement.differences],
    }


def _print(name: str, lines: Sequence[Mapping[str, Any]], agreement: Agreement) -> None:
    print(f"session {name} of {lines[0]['harness']}")
    for row in lines:
        seen = [
            f"{counts.get(row['source'], 0)} {what}s" for what, counts in agreement.counts.items()
        ]
        print(f"  {row['source']}: {row['lines']} lines{''.join(f', {one}' for one in seen)}")
    if agreement.is_complete:
        print("all sources saw the same" if len(lines) > 1 else "only one source saw it")
        return
    output.print_table(
        {"what": one.what, "seen by": ", ".join(one.seen_by), "name": one.shown, "id": one.item}
        for one in agreement.differences
    )
