"""`swarm import`: an export into an empty home."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj
from tempfile import NamedTemporaryFile
from typing import Annotated, Any

import typer
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from cortex.cli import options, output
from cortex.cli.fresh import FRESH_SECONDS, until_fresh
from cortex.cli.places import bus_url, open_writer
from cortex.cli.session import Session
from infrastructure.errors import ArchiveError
from infrastructure.history.archive import Header, checked
from infrastructure.history.archive_formats import read_archive
from infrastructure.history.importing import (
    ImportProgress,
    begin_import,
    end_import,
    import_records,
    record_import,
)
from nervous_system.comms.connection import redact_url, translated
from nervous_system.comms.frames import MESSAGE_ID_HEADER
from nervous_system.comms.open import open_bus
from nervous_system.config import BusConfig

COPY_BYTES = 1 << 20


def import_(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What `swarm export` has written; - is stdin.")
    ],
    json: options.Json = False,
    timeout: options.Timeout = FRESH_SECONDS,
    no_wait: options.NoWait = False,
) -> None:
    """Bring an export into an empty home: the same bytes, subjects, order and contents.

    The file is read and checked as a whole before anything of it is published. An import that was
    interrupted goes on when it is run again. The ledger begins anew; the head that the export
    ended with is kept in swarm.imports.
    """
    session = Session.of(ctx)
    with _archive(file) as archive:
        progress = asyncio.run(_import(session, archive, _check(archive)))
    output.progress("")
    with open_writer(session) as history:
        record_import(history, progress)
    if not no_wait:
        asyncio.run(until_fresh(session, timeout))
    _report(progress, as_json=json)


@contextmanager
def _archive(file: Path) -> Iterator[Path]:
    """Give the file; what comes on stdin is kept meanwhile, as it is read twice."""
    if str(file) != "-":
        yield file
        return
    with NamedTemporaryFile(prefix="swarm-import-") as kept:
        copyfileobj(sys.stdin.buffer, kept, COPY_BYTES)
        kept.flush()
        yield Path(kept.name)


def _check(file: Path) -> Header:
    """Read the whole archive once; whatever is wrong with it shows before anything happens."""
    header: Header | None = None
    for record in checked(read_archive(file)):
        if isinstance(record, Header):
            header = record
    if header is None:
        raise ArchiveError(reason="it has no header")
    return header


async def _import(session: Session, file: Path, header: Header) -> ImportProgress:
    url = bus_url(session)
    async with open_bus(BusConfig(url=url, name="swarm-import")) as bus:
        target = _Target(bus.js, redact_url(url))
        progress = await begin_import(header, target)
        total = sum(one.event_count for one in header.streams)
        await import_records(
            checked(read_archive(file)),
            progress,
            publisher=bus.publisher,
            content=bus.content,
            tell=lambda now: output.progress(f"imported {now.event_count} of {total} events"),
        )
        await end_import(progress, target)
    return progress


class _Target:
    """Implements `TargetStream` on the bus."""

    def __init__(self, jetstream: JetStreamContext, servers: str) -> None:
        self._jetstream = jetstream
        self._servers = servers

    async def last_message_id(self, stream: str) -> str | None:
        """Return the message id of the stream's last message; None where it never had one."""
        _, last = await self.bounds(stream)
        if not last:
            return None
        with translated("import", self._servers):
            try:
                message = await self._jetstream.get_msg(stream, seq=last)
            except NotFoundError:
                return ""
        return str((message.headers or {}).get(MESSAGE_ID_HEADER, ""))

    async def bounds(self, stream: str) -> tuple[int, int]:
        """Return the first and the last sequence."""
        with translated("import", self._servers):
            try:
                info = await self._jetstream.stream_info(stream)
            except NotFoundError as error:
                raise ArchiveError(reason=f"there is no stream {stream} here") from error
        return int(info.state.first_seq), int(info.state.last_seq)


def _report(progress: ImportProgress, *, as_json: bool) -> None:
    rows: list[dict[str, Any]] = [
        {
            "stream": one.source.stream,
            "events": one.event_count,
            "resumed_after": one.resumed_after,
            "first_seq": one.first_seq,
            "last_seq": one.last_seq,
            "source_head": one.source.head,
        }
        for one in progress.streams.values()
    ]
    if as_json:
        output.print_json(
            {
                "events": progress.event_count,
                "contents": progress.blob_count,
                "streams": rows,
            }
        )
        return
    output.print_table(rows)
    output.note(f"{progress.event_count} events and {progress.blob_count} contents imported")
