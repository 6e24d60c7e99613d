"""`swarm backup`: a copy of the home that was opened and compared."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cortex.cli import options, output
from cortex.cli.places import bus_url, open_writer
from cortex.cli.session import Session
from infrastructure.backup.home_copy import BackupReport, back_up_running, back_up_stopped
from infrastructure.stack.lock import is_stack_running
from nervous_system.comms.connection import open_nats


def backup(
    ctx: typer.Context,
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where the copy goes; new or empty.")
    ],
    json: options.Json = False,
) -> None:
    """Make a verified copy of the home, also while the stack runs.

    The copy is a home itself: `swarm up --home DIR` starts from it. Streams and history are opened
    from the copy and checked before it counts; if anything is wrong, DIR stays empty. Credentials
    and keys are in it: keep it as safe as the home.
    """
    report = asyncio.run(_back_up(Session.of(ctx), directory))
    output.progress("")
    if json:
        output.print_json(asdict(report))
        return
    rows = [
        {"stream": one.stream, "messages": one.messages, "last_seq": one.last_seq}
        for one in report.streams
    ]
    output.print_table(rows, ["stream", "messages", "last_seq"])
    for held in report.history.streams:
        print(f"history head: {held.head}")
    output.note(f"verified copy of the home in {report.directory}")


async def _back_up(session: Session, directory: Path) -> BackupReport:
    home = session.home
    if not is_stack_running(home):
        return await back_up_stopped(home, directory, output.progress)
    async with open_nats(bus_url(session), name="swarm-backup") as client:
        with open_writer(session) as history:
            return await back_up_running(home, directory, client, history, output.progress)
