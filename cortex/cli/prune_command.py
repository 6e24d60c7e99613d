"""`swarm prune`: old history goes, its ledger heads stay."""

import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from cortex.cli import options, output
from cortex.cli.errors import CommandFailedError
from cortex.cli.places import open_writer
from cortex.cli.session import Session
from cortex.cli.times import parse_duration
from infrastructure.history.retention import (
    Partition,
    RetentionRule,
    drop_partition,
    expired_partitions,
    read_partitions,
)


def prune(
    ctx: typer.Context,
    older_than: Annotated[
        str,
        typer.Option("--older-than", metavar="AGE", help="Drop what was ingested before: 30d, 8w."),
    ] = "",
    keep: Annotated[
        int | None,
        typer.Option("--keep", metavar="N", min=1, help="Keep the newest N events of each stream."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: options.Json = False,
) -> None:
    """Drop expired history, partition by partition, and keep the ledger heads.

    A partition holds up to a million events of one stream and goes as a whole, when everything in
    it has expired; a stream's newest partition always stays. With both bounds, both must allow it.
    """
    rule = _rule(older_than, keep)
    session = Session.of(ctx)
    with open_writer(session) as history:
        expired = expired_partitions(read_partitions(history), rule, datetime.now(UTC))
        if not dry_run and _may_drop(expired, is_agreed=yes):
            for partition in expired:
                drop_partition(history, partition)
    _report(expired, is_dry=dry_run, as_json=json)


def _rule(older_than: str, keep: int | None) -> RetentionRule:
    if not older_than and keep is None:
        raise typer.BadParameter("say what expires: --older-than AGE, --keep N, or both")
    try:
        age = parse_duration(older_than) if older_than else None
        bound = None if age is None else timedelta(microseconds=age // 1000)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(str(error), param_hint="--older-than") from error
    return RetentionRule(older_than=bound, keep_events=keep)


def _may_drop(expired: list[Partition], *, is_agreed: bool) -> bool:
    """Ask on a terminal; elsewhere the options are the answer."""
    if not expired or is_agreed or not sys.stdin.isatty():
        return bool(expired)
    count = sum(partition.event_count for partition in expired)
    if not typer.confirm(f"Drop {count} events for good?", err=True):
        raise CommandFailedError("nothing was dropped")
    return True


def _report(expired: list[Partition], *, is_dry: bool, as_json: bool) -> None:
    rows = [_fields(partition, is_dropped=not is_dry) for partition in expired]
    if as_json:
        output.print_json(rows)
        return
    if rows:
        output.print_table(rows)
    verb = "would drop" if is_dry else "dropped"
    output.note(f"{verb} {sum(partition.event_count for partition in expired)} events")


def _fields(partition: Partition, *, is_dropped: bool) -> dict[str, Any]:
    return {
        "stream": partition.stream,
        "first_seq": partition.first_seq,
        "last_seq": partition.last_seq,
        "event_count": partition.event_count,
        "newest_ingested_at": partition.newest_ingested_at,
        "head": partition.head,
        "is_dropped": is_dropped,
    }
