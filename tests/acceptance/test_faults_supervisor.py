"""The supervisor killed under load, children that crash, and an ingestor that is asked to end."""

import asyncio
import re
from pathlib import Path

import nats
import pytest

from infrastructure.stack.leftover import is_alive, read_marks
from tests.support.chaos import (
    PUBLISHER,
    SECOND_INGESTOR,
    Chaos,
    chaos_around,
    check_account,
    choose_seed,
    kill_child,
)
from tests.support.chaos_parts import Parts, parts_at
from tests.support.eventually import eventually_blocking
from tests.support.stacks import Stack, running_stack

BURST = 5
"""Restarts that follow at once, before the supervisor grows patient."""
LONG_ROUNDS = 40


def kill_supervisor_and_account(tmp_path: Path, rounds: int) -> None:
    with (
        running_stack(tmp_path / "home") as stack,
        chaos_around(stack, tmp_path / "chaos", choose_seed()) as chaos,
    ):
        chaos.start(PUBLISHER)
        for number in range(rounds):
            chaos.wait_for_promises(chaos.random.randint(1, 500))
            marks = read_marks(stack.root / "children.json")
            stack.kill("supervisor")
            eventually_blocking(lambda: not any(is_alive(one) for one in marks), timeout=30)  # noqa: B023
            chaos.wait_for_promises(20)  # spooled: the publisher is nobody's child
            if number % 2:
                chaos.kill(PUBLISHER)  # all at once, as if the machine had gone down
            stack.up()
        chaos.wait_for_promises(200)
        chaos.settle()
        check_account(stack, chaos.promises())


@pytest.mark.timeout(120)
def test_killed_supervisor_takes_its_children_along_and_up_recovers(tmp_path: Path) -> None:
    """Agents go on meanwhile; nothing that they were promised is lost."""
    kill_supervisor_and_account(tmp_path, 2)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_supervisor_killed_many_times(tmp_path: Path) -> None:
    """The same, for long."""
    kill_supervisor_and_account(tmp_path, LONG_ROUNDS)


@pytest.mark.timeout(120)
def test_stack_that_goes_down_and_up_under_load_loses_nothing(tmp_path: Path) -> None:
    """`swarm down` drains; what agents do meanwhile waits in their spools."""
    with (
        running_stack(tmp_path / "home") as stack,
        chaos_around(stack, tmp_path / "chaos", choose_seed()) as chaos,
    ):
        chaos.start(PUBLISHER)
        chaos.wait_for_promises(300)
        stack.down()
        chaos.wait_for_promises(20)
        stack.up()
        chaos.wait_for_promises(200)
        chaos.settle()
        check_account(stack, chaos.promises())
    assert "child_died" not in stack.log("supervisor")


@pytest.mark.timeout(120)
def test_child_that_crashes_again_and_again_is_reported_and_waited_for(tmp_path: Path) -> None:
    """Five times at once, then with a growing delay; it is seen in status, and it comes back."""
    with running_stack(tmp_path / "home") as stack:
        for _ in range(BURST + 2):
            kill_child(stack, "ingestor")
        eventually_blocking(lambda: len(delays(stack)) >= BURST + 2)
        assert delays(stack)[:BURST] == [0.0] * BURST
        later = delays(stack)[BURST:]
        assert later == sorted(set(later))
        assert later[0] > 0
        assert stack.json("status", expected=3)["ready"] is False
        stack.wait_ready()


@pytest.mark.timeout(120)
def test_ingestor_that_is_asked_to_end_drains(tmp_path: Path) -> None:
    """What it read is in history, its last head is noted, and another goes on behind it."""
    with (
        parts_at(tmp_path / "home") as parts,
        chaos_around(parts.stack, tmp_path / "chaos", choose_seed()) as chaos,
    ):
        parts.start("history", "ingestor")
        chaos.start(PUBLISHER)
        for _ in range(3):
            chaos.wait_for_promises(300)
            assert parts.stop("ingestor") == 0, parts.log("ingestor")[-2000:]
            [head] = parts.query("select max(stream_seq) as sequence from swarm.events")
            assert noted_sequence(parts) == head["sequence"] > 0
            parts.start("ingestor")
        chaos.start(SECOND_INGESTOR)
        parts.stop("ingestor")  # at the end, the other one carries it alone
        chaos.settle()
        check_running(parts, chaos)


@pytest.mark.timeout(120)
def test_ingestor_asked_to_end_while_history_is_away_ends_quietly(tmp_path: Path) -> None:
    """It waits for nobody; the stream keeps what was under way."""
    with (
        parts_at(tmp_path / "home") as parts,
        chaos_around(parts.stack, tmp_path / "chaos", choose_seed()) as chaos,
    ):
        parts.start("history", "ingestor")
        chaos.start(PUBLISHER)
        chaos.wait_for_promises(300)
        parts.kill("history")
        chaos.wait_for_promises(300)
        assert parts.stop("ingestor") == 0, parts.log("ingestor")[-2000:]
        assert "Traceback" not in parts.log("ingestor")
        parts.start("history", "ingestor")
        chaos.settle()
        check_account(parts.stack, chaos.promises())


def check_running(parts: Parts, chaos: Chaos) -> None:
    """Take the account while only the second ingestor runs."""
    eventually_blocking(
        lambda: parts.stack.json("status", expected=None)["lag_events"] == 0, timeout=40
    )
    parts.start("ingestor")
    check_account(parts.stack, chaos.promises())


def delays(stack: Stack) -> list[float]:
    """Return how long the supervisor said that it would wait, each time."""
    return [
        float(found) for found in re.findall(r"delay_seconds=([\d.]+)", stack.log("supervisor"))
    ]


def noted_sequence(parts: Parts) -> int:
    """Return the sequence of the last head on the bus: `stream@sequence:hex`."""

    async def read() -> str:
        client = await nats.connect(parts.plan.nats_url("operator"))
        try:
            subject = "swarm.checkpoints.ENCHANTED_SWARM"
            found = await client.jetstream().get_last_msg("SWARM_CHECKPOINTS", subject)
            return (found.data or b"").decode()
        finally:
            await client.close()

    found = re.search(r"@(\d+):", asyncio.run(read()))
    return int(found[1]) if found else 0
