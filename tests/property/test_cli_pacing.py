"""When replayed events are due."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cortex.cli.pacing import FULL_SPEED, Pacer

TIMES = st.lists(st.integers(0, 10**15), max_size=30)
SPEEDS = st.sampled_from([0.25, 0.5, 1.0, 2.0, 8.0])


def due_offsets(times: list[int], speed: float, longest_pause_ns: int | None = None) -> list[int]:
    pacer = Pacer(speed, longest_pause_ns)
    return [pacer.due(time_ns) for time_ns in times]


@given(TIMES, SPEEDS)
def test_events_are_due_in_the_order_of_the_stream(times: list[int], speed: float) -> None:
    due = due_offsets(times, speed)
    assert due == sorted(due)
    assert len(due) == len(times)
    assert due[:1] == [0] * len(times[:1])


@given(TIMES)
def test_ordered_events_keep_their_distances_at_original_speed(times: list[int]) -> None:
    ordered = sorted(times)
    assert due_offsets(ordered, speed=1.0) == [moment - ordered[0] for moment in ordered]


@given(TIMES)
def test_full_speed_never_waits(times: list[int]) -> None:
    assert set(due_offsets(times, speed=FULL_SPEED)) <= {0}


@given(TIMES, SPEEDS)
def test_a_late_event_costs_no_time(times: list[int], speed: float) -> None:
    highest = [max(times[: end + 1]) for end in range(len(times))]
    assert due_offsets(times, speed) == due_offsets(highest, speed)


@given(TIMES, SPEEDS, st.integers(0, 10**9))
def test_no_pause_is_longer_than_allowed(times: list[int], speed: float, longest: int) -> None:
    due = due_offsets(times, speed, longest)
    assert all(after - before <= longest for before, after in pairwise(due))
