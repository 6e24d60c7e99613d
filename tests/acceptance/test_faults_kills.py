"""`kill -9` of every process in random order, under load, with two ingestors.

`SWARM_TEST_SEED=n` repeats a run as far as processes can be repeated.
"""

from pathlib import Path

import pytest

from tests.support.chaos import (
    PUBLISHER,
    SECOND_INGESTOR,
    TARGETS,
    chaos_around,
    check_account,
    choose_seed,
    shuffled,
)
from tests.support.stacks import running_stack

SHORT_TIMES = 3
LONG_TIMES = 60


@pytest.mark.timeout(150)
def test_random_kills_under_load_lose_and_double_nothing(tmp_path: Path) -> None:
    """Each of the five processes is killed a few times."""
    kill_and_account(tmp_path, SHORT_TIMES, most_between=600)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_hundreds_of_random_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    """The same, for long."""
    kill_and_account(tmp_path, LONG_TIMES, most_between=6000)


def kill_and_account(tmp_path: Path, times: int, most_between: int) -> None:
    """Kill each target so many times, with up to so many promises from one kill to the next.

    The supervisor restarts five times in ten seconds at once; more often is only waiting.
    """
    seed = choose_seed()
    with (
        running_stack(tmp_path / "home") as stack,
        chaos_around(stack, tmp_path / "chaos", seed) as chaos,
    ):
        chaos.start(PUBLISHER)
        chaos.start(SECOND_INGESTOR)
        for name in shuffled(TARGETS, times, chaos.random):
            chaos.wait_for_promises(chaos.random.randint(1, most_between))
            chaos.kill(name)
        chaos.wait_for_promises(200)
        chaos.settle()
        check_account(stack, chaos.promises())
        assert set(chaos.kills) == set(TARGETS)
