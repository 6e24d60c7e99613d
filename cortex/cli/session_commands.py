"""`swarm session`: transcripts of agents that nobody here wrote, mirrored and imported."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from cortex.cli import options, output
from cortex.cli.errors import CommandFailedError
from cortex.cli.fresh import FRESH_SECONDS, wait_until_fresh
from cortex.cli.mirroring import Mirroring, import_paths, run_mirrors, stop_mirrors
from cortex.cli.places import open_reader
from cortex.cli.session import Session
from cortex.cli.session_check_command import check
from infrastructure.history.query_text import query_text
from infrastructure.intake.sessions.formats.registry import FORMATS, HARNESSES
from infrastructure.intake.sessions.mirror import POLL_SECONDS, Mirrored
from infrastructure.intake.sessions.places import MIRRORED

session = typer.Typer(no_args_is_help=True, add_completion=False)

_LIST_COLUMNS = (
    *("session_id", "harness", "source", "lines", "decisions", "tool_calls", "file_edits"),
    *("errors", "last_seen"),
)
_DONE_COLUMNS = (
    *("session_id", "harness", "lines", "decisions", "tool_calls", "file_edits", "errors"),
    *("stored_events", "redacted"),
)
SessionId = Annotated[str, typer.Argument(metavar="ID", help="A session, or a unique beginning.")]
NoRedact = Annotated[
    bool, typer.Option("--no-redact", help="Keep everything byte for byte, secrets too.")
]
GivenSession = Annotated[
    str, typer.Option("--session-id", metavar="ID", help="Only this session, or its name.")
]


@session.command("mirror", short_help="Store what a harness's sessions say, and what they will.")
def mirror(
    ctx: typer.Context,
    harness: Annotated[
        str, typer.Option("--harness", metavar="NAME", help="Whose: " + ", ".join(MIRRORED))
    ] = "",
    source: Annotated[
        Path | None,
        typer.Option("--source", metavar="PATH", help="A transcript, or a folder of them."),
    ] = None,
    session_id: GivenSession = "",
    cwd: Annotated[
        Path | None,
        typer.Option("--cwd", metavar="DIR", help="Of sessions that work there; default: here."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All sessions, not the newest one of the directory.")
    ] = False,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is written from now on.")
    ] = False,
    interval: Annotated[
        float,
        typer.Option("--interval", metavar="SECONDS", min=0.001, help="How often to look for it."),
    ] = POLL_SECONDS,
    no_redact: NoRedact = False,
    min_bytes: Annotated[
        int, typer.Option("--min-bytes", metavar="N", min=0, help="Leave out smaller transcripts.")
    ] = 0,
    json: options.Json = False,
) -> None:
    """Store what a harness's sessions say, and with --follow what they will.

    Transcripts are only read. What is stored already is not stored again, wherever it was mirrored
    from. Sub-agents' transcripts are found beside those of their sessions. Secrets are taken out
    and counted unless --no-redact is given.
    """
    if source is None and harness not in MIRRORED:
        names = ", ".join(MIRRORED)
        raise typer.BadParameter(f"one of {names}", param_hint="--harness")
    if harness and harness not in HARNESSES:
        raise typer.BadParameter(f"one of {', '.join(HARNESSES)}", param_hint="--harness")
    asked = Mirroring(
        harness=harness,
        source=source,
        session_id=session_id,
        directory=cwd,
        is_everything=everything,
        is_following=follow,
        poll_seconds=interval,
        is_redacting=not no_redact,
        min_bytes=min_bytes,
    )
    found = asyncio.run(run_mirrors(Session.of(ctx), asked, is_json=json))
    if not follow:
        _show_done(found, is_json=json)


@session.command("import", short_help="Store finished transcripts of any known format.")
def import_(
    ctx: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files or folders.")],
    form: Annotated[
        str,
        typer.Option("--format", metavar="NAME", help="Default: as found; " + ", ".join(FORMATS)),
    ] = "",
    session_id: GivenSession = "",
    no_redact: NoRedact = False,
    json: options.Json = False,
) -> None:
    """Store finished transcripts; their formats are found out.

    A folder stands for all transcripts in it. What is stored already is not stored again.
    """
    if form and form not in FORMATS and form not in HARNESSES:
        raise typer.BadParameter(f"one of {', '.join(FORMATS)}", param_hint="--format")
    asked = Mirroring(harness=form, session_id=session_id, is_redacting=not no_redact)
    found, problems = asyncio.run(import_paths(Session.of(ctx), asked, paths))
    _show_done(found, is_json=json)
    for problem in problems:
        output.note(f"swarm: {problem}")
    if problems:
        raise CommandFailedError(f"{len(problems)} of {len(problems) + len(found)} not imported")


@session.command("list", short_help="List sessions.")
def list_(
    ctx: typer.Context,
    harness: Annotated[
        str, typer.Option("--harness", metavar="NAME", help="Only of this harness.")
    ] = "",
    json: options.Json = False,
    timeout: options.Timeout = FRESH_SECONDS,
    no_wait: options.NoWait = False,
) -> None:
    """List the sessions that history knows, a row per source, the oldest first."""
    current = Session.of(ctx)
    wait_until_fresh(current, timeout, no_wait=no_wait)
    with open_reader(current) as history:
        rows = history.query(query_text("sessions"), {"harness": harness, "session": ""})
    if json:
        output.print_json_array(rows)
    else:
        output.print_table(rows, _LIST_COLUMNS)


@session.command("show", short_help="Show one session, or its lines.")
def show(
    ctx: typer.Context,
    session_id: SessionId,
    source: Annotated[
        str,
        typer.Option("--source", metavar="NAME", help="Of one source: transcript, hook, ..."),
    ] = "",
    lines: Annotated[
        bool, typer.Option("--lines", help="Write its transcript as it is kept to stdout.")
    ] = False,
    json: options.Json = False,
    timeout: options.Timeout = FRESH_SECONDS,
    no_wait: options.NoWait = False,
) -> None:
    """Show what is known of a session, and of its sub-agents.

    With --lines its transcript is written as it is kept: byte for byte but for secrets.
    """
    current = Session.of(ctx)
    wait_until_fresh(current, timeout, no_wait=no_wait)
    with open_reader(current) as history:
        rows = history.query(query_text("sessions"), {"harness": "", "session": session_id})
        chosen = _chosen(rows, session_id, source)
        if lines:
            kept = history.query(
                query_text("session_transcript"),
                {"session": chosen[0]["session_id"], "source": chosen[0]["source"]},
                bytes_columns=["line"],
            )
            _write_lines(kept)
            return
        tools = history.query(query_text("session_tools"), {"run": chosen[0]["run_id"]})
        usage = history.query(query_text("session_usage"), {"run": chosen[0]["run_id"]})
    view = {"session": chosen[0], "others": chosen[1:], "tools": tools, "usage": usage}
    if json:
        output.print_json(view)
        return
    for name, value in chosen[0].items():
        if value not in ("", 0, {}, [], None):
            print(f"{name:18}  {output.format_cell(value)}")
    for title, table in (("tools", tools), ("usage", usage), ("others", chosen[1:])):
        if table:
            print(f"\n{title}")
            output.print_table(table, _LIST_COLUMNS if title == "others" else None)


@session.command("stop", short_help="End a mirror that follows a session.")
def stop(
    ctx: typer.Context,
    session_id: Annotated[
        str, typer.Argument(metavar="ID", help="A session that is followed, or its beginning.")
    ] = "",
    everything: Annotated[bool, typer.Option("--all", help="End all mirrors.")] = False,
    json: options.Json = False,
    timeout: options.Timeout = FRESH_SECONDS,
) -> None:
    """End a mirror that follows a session; what it has read is stored before.

    A mirror that follows several sessions ends for all of them.
    """
    if not session_id and not everything:
        raise typer.BadParameter("name a session, or pass --all")
    stopped = stop_mirrors(Session.of(ctx).home, session_id, timeout)
    if json:
        output.print_json_array(stopped)
        return
    for one in stopped:
        print(f"stopped {one['pid']}: {', '.join(one['sessions'])}")


def view_of(found: Mirrored) -> dict[str, Any]:
    """Return what became of a session, as JSON shows it."""
    identity = found.identity
    return {
        "session_id": identity.session_id,
        "run_id": identity.run_id,
        "agent_id": identity.agent_id,
        "harness": identity.harness,
        "source": identity.source,
        "mapper": identity.mapper,
        "path": str(found.path),
        "stored_lines": found.stored_lines,
        "stored_events": found.stored_events,
        "counts": dict(found.counts),
        "redactions": dict(found.redactions),
        "drift": dict(found.drift),
        "rewritten": found.times_rewritten,
    }


def _show_done(found: Sequence[Mirrored], *, is_json: bool) -> None:
    if is_json:
        output.print_json_array(view_of(one) for one in found)
        return
    rows = [
        {
            **one.counts,
            "session_id": one.identity.session_id,
            "harness": one.identity.harness,
            "stored_events": one.stored_events,
            "redacted": sum(one.redactions.values()),
        }
        for one in found
    ]
    output.print_table(rows, _DONE_COLUMNS)
    for one in found:
        if one.drift:
            unknown = ", ".join(f"{name} ({count})" for name, count in one.drift.items())
            output.note(f"{one.identity.session_id}: kept, but not known: {unknown}")


session.command("check", short_help="Say what not all sources saw of a session.")(check)


def _chosen(rows: Sequence[dict[str, Any]], wanted: str, source: str) -> list[dict[str, Any]]:
    """Return the session's row first, then its other sources and sub-agents."""
    if source:
        rows = [row for row in rows if row["source"] == source]
    exact = [row for row in rows if row["session_id"] == wanted]
    names = {row["run_id"] for row in exact or rows}
    if not names:
        raise CommandFailedError(f"no session {wanted}: see `swarm session list`")
    if len(names) > 1:
        listed = ", ".join(sorted(names)[:5])
        raise CommandFailedError(f"{wanted} is not unique: {listed}")
    if exact:
        first = exact[0]
    else:
        own = [row for row in rows if row["session_id"] == row["run_id"]]
        first = (own or list(rows))[0]
    return [first, *(row for row in rows if row is not first)]


def _write_lines(rows: Sequence[dict[str, Any]]) -> None:
    """Write lines in the order of the source; parts of one line follow each other."""
    out = sys.stdout.buffer
    for position, row in enumerate(rows):
        out.write(row["line"])
        following = rows[position + 1]["number"] if position + 1 < len(rows) else 0
        if following != row["number"] and not row["is_open"]:
            out.write(b"\n")
    out.flush()
