"""The restart policy holds for every sequence of deaths."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from infrastructure.stack.restart import RestartHistory, RestartPolicy, next_restart

POLICY = RestartPolicy()
LIVES = st.lists(st.integers(0, 400).map(lambda tenths: tenths / 10), min_size=1, max_size=60)


def play(lives: list[float]) -> list[tuple[float, float, float]]:
    """Return (life, moment of death, delay) of a process that lives for each given time."""
    history, now, played = RestartHistory(), 0.0, []
    for life in lives:
        started, now = now, now + life
        delay, history = next_restart(POLICY, history, started_at=started, died_at=now)
        played.append((life, now, delay.total_seconds()))
        now += delay.total_seconds()
    return played


@given(LIVES)
def test_at_most_five_restarts_at_once_in_any_ten_seconds(lives: list[float]) -> None:
    at_once = [moment for _, moment, delay in play(lives) if delay == 0]
    for moment in at_once:
        assert sum(1 for other in at_once if moment - 9.9 < other <= moment) <= 5


@given(LIVES)
def test_delay_grows_up_to_a_minute_until_a_life_is_long(lives: list[float]) -> None:
    previous = 0.0
    for life, _, delay in play(lives):
        assert 0 <= delay <= 60
        if life < 9.9 and previous > 0:
            assert delay == min(previous * 2, 60)
        previous = delay


@given(LIVES)
def test_process_that_lived_long_starts_again_at_once(lives: list[float]) -> None:
    *_, (_, _, delay) = play([*lives, 10.1])
    assert delay == 0


def test_sixth_quick_death_waits_a_second() -> None:
    assert [delay for _, _, delay in play([0.1] * 8)] == [0, 0, 0, 0, 0, 1, 2, 4]


def test_policy_can_be_more_patient() -> None:
    policy = RestartPolicy(burst=0, first_delay=timedelta(seconds=3))
    delay, _ = next_restart(policy, RestartHistory(), started_at=0, died_at=1)
    assert delay == timedelta(seconds=3)
