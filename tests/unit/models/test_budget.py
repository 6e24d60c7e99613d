"""Budgets, prices and retries."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex.errors import BudgetExceededError
from cortex.models.budget import Budget, Meter, Price, format_usd
from cortex.models.retrying import RetryPolicy

PRICE = Price(Decimal("1.25"), Decimal(10))


def test_price_is_rounded_up() -> None:
    assert PRICE.cost_microusd(1, 0) == 2


@given(st.lists(st.tuples(st.integers(1, 3000), st.integers(1, 3000)), max_size=20))
def test_estimates_that_hold_never_overdraw(requests: list[tuple[int, int]]) -> None:
    meter = Meter(Budget(max_tokens=10_000, max_cost_microusd=40_000), PRICE)
    for asked, wanted in requests:
        try:
            room = meter.reserve(input_tokens=asked, max_output_tokens=wanted)
        except BudgetExceededError:
            continue
        cost = PRICE.cost_microusd(asked, room.output_tokens)
        meter.settle(room, tokens=asked + room.output_tokens, cost_microusd=cost)
    assert meter.spending.tokens <= 10_000
    assert meter.spending.cost_microusd <= 40_000
    assert meter.spending.reserved_tokens == meter.spending.reserved_microusd == 0


def test_reserved_room_is_taken() -> None:
    meter = Meter(Budget(max_tokens=1000), None)
    meter.reserve(input_tokens=100, max_output_tokens=900)
    with pytest.raises(BudgetExceededError, match="the token budget used up"):
        meter.reserve(input_tokens=100, max_output_tokens=900)


def test_money_that_does_not_cover_the_question_ends_it() -> None:
    meter = Meter(Budget(max_cost_microusd=1000), PRICE)
    with pytest.raises(BudgetExceededError, match="the money budget"):
        meter.reserve(input_tokens=1000, max_output_tokens=900)


@pytest.mark.parametrize(
    ("microusd", "text"), [(0, "$0.00"), (5_000_000, "$5.00"), (12, "$0.000012")]
)
def test_money_is_written_for_people(microusd: int, text: str) -> None:
    assert format_usd(microusd) == text


def test_waits_grow_to_their_bound_and_end() -> None:
    policy = RetryPolicy(max_attempts=9, max_delay=timedelta(seconds=30))
    waits = [policy.delay(attempt, None, 1.0) for attempt in range(1, 10)]
    seconds = [wait.total_seconds() for wait in waits if wait is not None]
    assert seconds == [1, 2, 4, 8, 16, 30, 30, 30]
    assert waits[-1] is None


def test_wait_that_is_asked_for_is_kept_up_to_the_bound() -> None:
    policy = RetryPolicy(max_delay=timedelta(seconds=30))
    assert policy.delay(1, timedelta(seconds=7), 0.0) == timedelta(seconds=7)
    assert policy.delay(1, timedelta(seconds=31), 0.0) is None
