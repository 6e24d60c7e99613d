"""How far history is behind."""

from hypothesis import given
from hypothesis import strategies as st

from cortex.cli.fresh import lag_between

SEQUENCES = st.dictionaries(st.sampled_from("ABC"), st.integers(0, 100))


@given(SEQUENCES, SEQUENCES)
def test_lag_is_what_is_missing_and_never_negative(
    ends: dict[str, int], reached: dict[str, int]
) -> None:
    lag = lag_between(ends, reached)
    assert lag.events == sum(max(0, end - reached.get(name, 0)) for name, end in ends.items())
    assert all(count > 0 for count in lag.behind.values())


@given(SEQUENCES)
def test_history_that_has_everything_is_not_behind(ends: dict[str, int]) -> None:
    assert lag_between(ends, ends).events == 0
