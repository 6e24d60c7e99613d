"""What may be pruned."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from infrastructure.history.retention import Partition, RetentionRule, expired_partitions

NOW = datetime(2026, 6, 1, tzinfo=UTC)
RULES = st.builds(
    RetentionRule,
    older_than=st.none() | st.integers(0, 50).map(lambda days: timedelta(days=days)),
    keep_events=st.none() | st.integers(0, 60),
)


@st.composite
def histories(draw: st.DrawFn) -> list[Partition]:
    found = []
    for stream in ("A", "B"):
        for number in range(draw(st.integers(0, 5))):
            found.append(partition(stream, number, draw(st.integers(1, 20)), draw(ages())))
    return draw(st.permutations(found))


def ages() -> st.SearchStrategy[timedelta]:
    return st.integers(0, 60).map(lambda days: timedelta(days=days))


def partition(stream: str, number: int, count: int, age: timedelta) -> Partition:
    return Partition(
        stream=stream,
        partition_id=f"{stream}-{number}",
        first_seq=number * 100 + 1,
        last_seq=number * 100 + 99,
        event_count=count,
        newest_ingested_at=NOW - age,
        newest_event_at=NOW,
        stream_identity=stream,
        root="00",
    )


@given(histories(), RULES)
def test_what_goes_is_the_beginning_of_each_stream_and_never_its_end(
    partitions: list[Partition], rule: RetentionRule
) -> None:
    expired = expired_partitions(partitions, rule, NOW)
    for stream in ("A", "B"):
        all_of = sorted(one.first_seq for one in partitions if one.stream == stream)
        gone = [one.first_seq for one in expired if one.stream == stream]
        assert gone == all_of[: len(gone)]
        assert len(gone) < len(all_of) or not all_of


@given(histories(), RULES)
def test_nothing_goes_that_a_bound_keeps(partitions: list[Partition], rule: RetentionRule) -> None:
    expired = expired_partitions(partitions, rule, NOW)
    for one in expired:
        if rule.older_than is not None:
            assert one.newest_ingested_at < NOW - rule.older_than
        if rule.keep_events is not None:
            assert newer(partitions, one) >= rule.keep_events


@given(histories())
def test_without_a_bound_nothing_goes(partitions: list[Partition]) -> None:
    assert expired_partitions(partitions, RetentionRule(), NOW) == []


@given(histories())
def test_with_everything_old_only_the_newest_of_each_stream_stays(
    partitions: list[Partition],
) -> None:
    rule = RetentionRule(older_than=timedelta(days=-1))
    expired = expired_partitions(partitions, rule, NOW)
    streams = {one.stream for one in partitions}
    assert len(expired) == len(partitions) - len(streams)


def newer(partitions: list[Partition], than: Partition) -> int:
    return sum(
        one.event_count
        for one in partitions
        if one.stream == than.stream and one.first_seq > than.first_seq
    )
