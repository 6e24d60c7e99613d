"""`swarm export`: history into a file that loses nothing."""

import asyncio
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from cortex.cli import options, output
from cortex.cli.content import contents
from cortex.cli.errors import CommandFailedError
from cortex.cli.files import replaced_file
from cortex.cli.fresh import FRESH_SECONDS, until_fresh
from cortex.cli.places import open_writer
from cortex.cli.session import Session
from cortex.cli.times import NANOSECONDS, format_time
from infrastructure.history.archive import BlobRecord, EventRecord, Record, completed
from infrastructure.history.archive_formats import ArchiveFormat, write_jsonl, write_parquet
from infrastructure.history.exporting import archived_streams, export_records, referenced_digests
from nervous_system import events
from nervous_system.errors import EventDecodeError

PROGRESS_RECORDS = 5_000


def export(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; - is stdout.")],
    archive_format: Annotated[
        ArchiveFormat | None,
        typer.Option("--format", "-f", help="Default: by the file's name, else jsonl."),
    ] = None,
    json: options.Json = False,
    timeout: options.Timeout = FRESH_SECONDS,
    no_wait: options.NoWait = False,
) -> None:
    """Write all events to a file, byte for byte, with the contents that they refer to.

    The file holds the ledger's head at its end, and a digest over itself; `swarm import` brings it
    into an empty home. As JSON lines each event also stands readable beside its bytes.
    """
    session = Session.of(ctx)
    chosen = archive_format or _format_by_name(file)
    to_stdout = str(file) == "-"
    if to_stdout and chosen is ArchiveFormat.PARQUET and sys.stdout.isatty():
        raise typer.BadParameter("parquet is binary: name a file, or pipe stdout somewhere")
    if not no_wait:
        asyncio.run(until_fresh(session, timeout))
    report = _export(session, file, chosen, to_stdout=to_stdout)
    output.progress("")
    if json and not to_stdout:
        output.print_json(report)
        return
    output.note(
        f"{report['events']} events and {report['contents']} contents exported to {file}"
        + "".join(f"\nhead {one['head']}" for one in report["streams"])
    )


def _format_by_name(file: Path) -> ArchiveFormat:
    return ArchiveFormat.PARQUET if file.suffix == ".parquet" else ArchiveFormat.JSONL


def _export(
    session: Session, file: Path, chosen: ArchiveFormat, *, to_stdout: bool
) -> dict[str, Any]:
    with open_writer(session) as history:
        streams = archived_streams(history)
        digests = referenced_digests(history, streams)
        missing: list[str] = []
        records = export_records(
            history,
            streams=streams,
            contents=contents(session, history, digests, missing),
            exported_at=format_time(time.time_ns() // NANOSECONDS * NANOSECONDS),
        )
        counts = {"events": 0, "contents": 0}
        watched = _watched(completed(records), counts)
        if to_stdout:
            _write(watched, chosen, sys.stdout.buffer)
        else:
            with replaced_file(file) as target:
                _write(watched, chosen, target)
    if missing:
        output.note(
            f"{len(missing)} contents that events refer to are kept nowhere and were left out"
        )
    return {
        **counts,
        "missing_contents": missing,
        "streams": [{"stream": one.stream, "head": one.head} for one in streams],
    }


def _write(records: Iterable[Record], chosen: ArchiveFormat, target: IO[bytes]) -> None:
    if chosen is ArchiveFormat.JSONL:
        write_jsonl(records, target, describe)
        return
    try:
        write_parquet(records, target)
    except ImportError as error:
        raise CommandFailedError(
            "Parquet needs pyarrow: install enchanted-swarm[server], or pass --format jsonl"
        ) from error


def describe(raw: bytes) -> Mapping[str, Any] | None:
    """Return the event in proto JSON names, or None where the bytes are none."""
    try:
        return events.to_dict(events.decode(raw))
    except (EventDecodeError, ValueError):
        # Times outside the years that JSON can write are a ValueError; the bytes say them.
        return None


def _watched(records: Iterable[Record], counts: dict[str, int]) -> Iterator[Record]:
    for number, record in enumerate(records):
        if isinstance(record, EventRecord):
            counts["events"] += 1
        elif isinstance(record, BlobRecord):
            counts["contents"] += record.offset == 0
        if number % PROGRESS_RECORDS == 0:
            output.progress(f"exported {counts['events']} events")
        yield record
