"""Cursors, merged streams and parts of time, for whatever values."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_control.errors import BadQuestionError
from mission_control.server.cursors import (
    HIGHEST,
    format_after,
    format_places,
    parse_after,
    parse_places,
)
from mission_control.server.density import width_of
from mission_control.server.events import merge_streams
from mission_control.server.query_text import Order

NUMBERS = st.integers(min_value=0, max_value=HIGHEST)
ORDERS: st.SearchStrategy[Order] = st.sampled_from(["asc", "desc"])
CLOCKS = st.lists(st.integers(min_value=0, max_value=20), max_size=30)


@given(st.dictionaries(st.text(max_size=20), NUMBERS, max_size=10))
def test_places_come_back_from_their_cursor(places: dict[str, int]) -> None:
    assert parse_places(format_places(places)) == places


@given(st.integers(min_value=-HIGHEST, max_value=HIGHEST), st.text(max_size=50))
def test_last_row_comes_back_from_its_cursor(number: int, name: str) -> None:
    assert parse_after(format_after(number, name)) == (number, name)


@given(st.text(max_size=200))
def test_any_other_text_is_refused_and_nothing_else_happens(text: str) -> None:
    for parse in (parse_places, parse_after):
        with suppress(BadQuestionError):
            parse(text)


@pytest.mark.parametrize(
    "value", ["W10", "bnVsbA", "eyJhIjp0cnVlfQ", "eyJhIjotMX0", "eyJhIjoiMSJ9"]
)
def test_cursor_of_another_shape_is_refused(value: str) -> None:
    """An empty list, null, and objects of true, -1 and a text."""
    with pytest.raises(BadQuestionError):
        parse_places(value)


@given(
    st.lists(CLOCKS, min_size=1, max_size=4),
    ORDERS,
    st.integers(min_value=1, max_value=7),
)
def test_pages_of_merged_streams_hold_every_row_once_and_streams_in_order(
    clocks: list[list[int]], order: Order, limit: int
) -> None:
    streams = {f"s{number}": stamped(f"s{number}", own) for number, own in enumerate(clocks)}
    found, taken = [], dict.fromkeys(streams, 0)
    while True:
        listed = [rows[taken[name] : taken[name] + limit + 1] for name, rows in streams.items()]
        page, has_more = merge_streams(listed, limit, order)
        found += page
        for row in page:
            taken[row["stream"]] += 1
        if not has_more:
            break
    for name, rows in streams.items():
        assert [row for row in found if row["stream"] == name] == rows
    assert len(found) == sum(map(len, streams.values()))


def stamped(stream: str, clocks: list[int]) -> list[dict[str, Any]]:
    return [
        {"stream": stream, "stream_seq": place, "event_time": f"{clock:09}"}
        for place, clock in enumerate(clocks)
    ]


@given(NUMBERS, NUMBERS, st.integers(min_value=1, max_value=2_000))
def test_parts_of_a_stretch_hold_its_start_and_end(one: int, other: int, parts: int) -> None:
    start, end = sorted((one, other))
    width = width_of(start, end, parts)
    assert width >= 1
    assert (end - start) // width <= parts - 1
