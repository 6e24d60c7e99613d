"""Retention: old partitions of the events go, their ledger heads stay.

What goes is decided by a pure function. Only whole partitions go, oldest first and without a gap,
and never a stream's newest: its highest sequence is where the ingestor goes on. Age is counted from
ingestion, because an event's own time is whatever its emitter's clock said.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from string import Template
from typing import Any

from infrastructure.errors import HistoryDamagedError
from infrastructure.history.client import HistoryClient
from infrastructure.history.query_text import query_text

_PARTITION_ID = re.compile(r"[0-9A-Za-z_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """One partition of the events: a range of up to a million sequences of one stream."""

    stream: str
    partition_id: str
    """The engine's name for it."""
    first_seq: int
    last_seq: int
    event_count: int
    newest_ingested_at: datetime
    newest_event_at: datetime
    stream_identity: str
    root: str
    """Ledger root at `last_seq`, hex; empty where the last row ends no batch."""

    @property
    def head(self) -> str:
        """Ledger head at `last_seq`."""
        return f"{self.stream}@{self.last_seq}:{self.root}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRule:
    """What may go: a partition that every given bound gives up."""

    older_than: timedelta | None = None
    """Ingested longer ago than this, all of it."""
    keep_events: int | None = None
    """Not among the newest so many events of its stream."""


def expired_partitions(
    partitions: Iterable[Partition], rule: RetentionRule, now: datetime
) -> list[Partition]:
    """Return the partitions to drop, oldest first within each stream."""
    ordered = sorted(partitions, key=lambda one: (one.stream, one.first_seq))
    found: list[Partition] = []
    for _, group in groupby(ordered, key=lambda one: one.stream):
        found += _expired_of_stream(list(group), rule, now)
    return found


def _expired_of_stream(
    partitions: Sequence[Partition], rule: RetentionRule, now: datetime
) -> list[Partition]:
    if rule.older_than is None and rule.keep_events is None:
        return []
    after = sum(partition.event_count for partition in partitions)
    expired: list[Partition] = []
    for partition in partitions[:-1]:
        after -= partition.event_count
        is_old = rule.older_than is None or partition.newest_ingested_at < now - rule.older_than
        is_surplus = rule.keep_events is None or after >= rule.keep_events
        if not (is_old and is_surplus):
            break
        expired.append(partition)
    return expired


def read_partitions(history: HistoryClient) -> list[Partition]:
    """Return the partitions of the events.

    Raises:
        QueryFailedError: the engine could not say.
        HistoryUnavailableError: history cannot be reached.
    """
    return [_partition(row) for row in history.query(query_text("retention_partitions"))]


def drop_partition(history: HistoryClient, partition: Partition) -> None:
    """Keep the partition's head, then drop it; doing so again after a crash is harmless.

    Raises:
        HistoryDamagedError: the partition does not end with a batch, so that it has no head.
        QueryFailedError: the engine refused.
        HistoryUnavailableError: history cannot be reached.
    """
    if not partition.root:
        raise HistoryDamagedError(
            table="swarm.events",
            expected=f"a ledger head at {partition.stream}#{partition.last_seq}",
            found="none",
        )
    if not _PARTITION_ID.fullmatch(partition.partition_id):
        raise HistoryDamagedError(
            table="swarm.events", expected="a partition id", found=partition.partition_id
        )
    _keep_head(history, partition)
    statement = Template(query_text("drop_partition"))
    history.command(statement.substitute(partition_id=partition.partition_id))


def _keep_head(history: HistoryClient, partition: Partition) -> None:
    place = {
        "stream": partition.stream,
        "last_seq": partition.last_seq,
        "head": partition.head,
    }
    if int(history.query(query_text("pruned_head"), place)[0]["kept"]):
        return
    kept = {
        **place,
        "first_seq": partition.first_seq,
        "event_count": partition.event_count,
        "stream_identity": partition.stream_identity,
        "newest_event_at": partition.newest_event_at,
    }
    history.insert_rows("swarm.pruned_heads", list(kept), [list(kept.values())])


def _partition(row: dict[str, Any]) -> Partition:
    return Partition(
        stream=str(row["stream"]),
        partition_id=str(row["partition_id"]),
        first_seq=int(row["first_seq"]),
        last_seq=int(row["last_seq"]),
        event_count=int(row["event_count"]),
        newest_ingested_at=row["newest_ingested_at"],
        newest_event_at=row["newest_event_at"],
        stream_identity=str(row["stream_identity"]),
        root=str(row["root"]) if int(row["last_batch_count"]) else "",
    )
