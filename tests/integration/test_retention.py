"""Pruning on the real engine."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from infrastructure.errors import HistoryDamagedError
from infrastructure.history.client import HistoryClient, open_history
from infrastructure.history.config import HistoryConfig
from infrastructure.history.migrate import migrate
from infrastructure.history.retention import (
    Partition,
    RetentionRule,
    drop_partition,
    expired_partitions,
    read_partitions,
)

MILLION = 1_000_000
COLUMNS = ["stream", "stream_seq", "ingested_at", "ledger_identity", "ledger_root", "ledger_count"]
OLD = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def history(history_dsn: str) -> Iterator[HistoryClient]:
    with open_history(HistoryConfig(dsn=history_dsn)) as client:
        migrate(client)
        for sequence in (999_998, 999_999, 1_500_000, 2_000_000):
            add_batch(client, sequence)
        yield client


def add_batch(client: HistoryClient, last_seq: int) -> None:
    root = last_seq.to_bytes(32, "big")
    rows = [
        ["S", last_seq, OLD, "S@2020-01-01T00:00:00Z", root, 1],
    ]
    client.insert_rows("swarm.events", COLUMNS, rows)


def old_partitions(client: HistoryClient) -> list[Partition]:
    rule = RetentionRule(older_than=timedelta(days=1))
    return expired_partitions(read_partitions(client), rule, datetime.now(UTC))


def test_expired_partitions_go_and_their_heads_stay(history: HistoryClient) -> None:
    for partition in old_partitions(history):
        drop_partition(history, partition)
    (left,) = history.query("select count() as n, min(stream_seq) as first from swarm.events")
    assert left == {"n": 1, "first": 2_000_000}
    heads = history.query("select * from swarm.pruned_heads order by last_seq")
    assert [(row["first_seq"], row["last_seq"], row["event_count"]) for row in heads] == [
        (999_998, 999_999, 2),
        (1_500_000, 1_500_000, 1),
    ]
    assert heads[0]["head"] == f"S@999999:{999_999:064x}"
    assert heads[0]["stream_identity"] == "S@2020-01-01T00:00:00Z"


def test_a_head_is_kept_once_when_pruning_is_repeated_after_a_crash(
    history: HistoryClient,
) -> None:
    first, *_ = old_partitions(history)
    drop_partition(history, first)
    add_batch(history, first.last_seq)
    drop_partition(history, first)
    assert history.query("select count() as n from swarm.pruned_heads") == [{"n": 1}]


def test_a_range_without_a_head_is_not_dropped(history: HistoryClient) -> None:
    history.insert_rows("swarm.events", ["stream", "stream_seq"], [["S", 1_999_999]])
    headless = next(one for one in read_partitions(history) if one.last_seq == 1_999_999)
    with pytest.raises(HistoryDamagedError, match="a ledger head at S#1999999"):
        drop_partition(history, headless)
    assert history.query("select count() as n from swarm.events") == [{"n": 5}]
