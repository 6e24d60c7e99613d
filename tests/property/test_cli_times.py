"""Times as text and back."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex.cli.times import NANOSECONDS, format_time, parse_duration, parse_time

MOMENTS = st.integers(min_value=-62_135_596_800, max_value=253_402_300_799).flatmap(
    lambda seconds: st.integers(0, NANOSECONDS - 1).map(lambda rest: seconds * NANOSECONDS + rest)
)


@given(MOMENTS)
def test_a_formatted_time_parses_to_itself(moment: int) -> None:
    assert parse_time(format_time(moment), now_ns=0) == moment


@given(st.integers(0, 10_000), st.sampled_from("smhdw"), MOMENTS)
def test_an_age_counts_back_from_now(amount: int, unit: str, now: int) -> None:
    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}[unit]
    assert parse_time(f"{amount}{unit}", now) == now - amount * seconds * NANOSECONDS


@given(st.text(max_size=12))
def test_no_text_does_anything_but_parse_or_be_refused(text: str) -> None:
    with suppress(ValueError):
        assert isinstance(parse_time(text, now_ns=0), int)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01", 0),
        ("1970-01-01T00:01", 60),
        ("1970-01-01 00:00:10Z", 10),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:30:00-0030", 0),
    ],
)
def test_absolute_times_are_utc_unless_they_say_otherwise(text: str, expected: int) -> None:
    assert parse_time(text, now_ns=5) == expected * NANOSECONDS


def test_a_length_of_time_adds_its_parts() -> None:
    assert parse_duration("1h30m0.5s") == 5_400_500_000_000


@pytest.mark.parametrize("text", ["", "10", "m", "10 m", "-5m", "10x", "1m-2s"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="length of time"):
        parse_duration(text)


def test_a_day_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="2026-02-30"):
        parse_time("2026-02-30T00:00:00Z", now_ns=0)
