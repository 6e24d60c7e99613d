"""Bus, history or both away for longer than the duplicate window, and back.

The window is two seconds here, as `swarm.json` says; a repeat after it would be stored twice.
"""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from tests.support.chaos import PUBLISHER, SECOND_INGESTOR, chaos_around, check_account, choose_seed
from tests.support.chaos_parts import parts_at
from tests.support.chaos_publisher import SPOOLED
from tests.support.eventually import eventually_blocking
from tests.support.proxy import faulty_link

WINDOW_SECONDS = 2
SETTINGS = {"duplicate_window_seconds": WINDOW_SECONDS}
LONG_ROUNDS = 30


def outlast_window(windows: float = 1.5) -> None:
    """Let the window pass, and more: the one thing here that only time can bring."""
    end = time.monotonic() + windows * WINDOW_SECONDS
    eventually_blocking(lambda: time.monotonic() > end)


@pytest.mark.timeout(120)
def test_history_away_for_longer_than_the_window(tmp_path: Path) -> None:
    """The stream is the buffer; the ingestors wait and catch up."""
    with (
        parts_at(tmp_path / "home", SETTINGS) as parts,
        chaos_around(parts.stack, tmp_path / "chaos", choose_seed()) as chaos,
    ):
        parts.start("history", "ingestor")
        chaos.start(PUBLISHER)
        chaos.start(SECOND_INGESTOR)
        chaos.wait_for_promises(300)
        parts.kill("history")
        chaos.wait_for_promises(300)
        outlast_window()
        assert not parts.is_ready("ingestor")
        parts.start("history")
        chaos.wait_for_promises(300)
        chaos.settle()
        check_account(parts.stack, chaos.promises())


def bus_away(tmp_path: Path, rounds: int) -> None:
    """Kill nats-server under load again and again, each time for longer than the window."""
    with (
        parts_at(tmp_path / "home", SETTINGS) as parts,
        chaos_around(parts.stack, tmp_path / "chaos", choose_seed()) as chaos,
    ):
        parts.start("history", "ingestor")
        chaos.start(PUBLISHER)
        for _ in range(rounds):
            chaos.wait_for_promises(chaos.random.randint(20, 400))
            parts.kill("nats")
            outlast_window()
            parts.start("nats")
        assert chaos.count(SPOOLED)
        chaos.wait_for_promises(300)
        chaos.settle()
        check_account(parts.stack, chaos.promises())


@pytest.mark.timeout(120)
def test_bus_away_for_longer_than_the_window_while_agents_spool(tmp_path: Path) -> None:
    """What was under way when it died is neither lost nor stored twice."""
    bus_away(tmp_path, 2)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_bus_away_for_longer_than_the_window_many_times(tmp_path: Path) -> None:
    """The same, for long."""
    bus_away(tmp_path, LONG_ROUNDS)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["nats", "history", "ingestor"])
def test_process_that_hangs_for_longer_than_the_window(tmp_path: Path, name: str) -> None:
    """Connected, but silent for so long that acks count as lost; then it goes on with all of it."""
    with (
        parts_at(tmp_path / "home", SETTINGS) as parts,
        chaos_around(parts.stack, tmp_path / "chaos", choose_seed()) as chaos,
    ):
        parts.start("history", "ingestor")
        chaos.start(PUBLISHER)
        chaos.start(SECOND_INGESTOR)
        for _ in range(4):
            chaos.wait_for_promises(chaos.random.randint(20, 400))
            os.kill(parts.processes[name].pid, signal.SIGSTOP)
            outlast_window(4)
            os.kill(parts.processes[name].pid, signal.SIGCONT)
        chaos.wait_for_promises(300)
        chaos.settle()
        check_account(parts.stack, chaos.promises())


@pytest.mark.timeout(120)
def test_answers_lost_and_link_cut_for_longer_than_the_window(tmp_path: Path) -> None:
    """Everything under way is stored and nobody knows; the ids are forgotten when it goes again."""
    with (
        parts_at(tmp_path / "home", SETTINGS) as parts,
        chaos_around(parts.stack, tmp_path / "chaos", choose_seed()) as chaos,
    ):
        parts.start("history", "ingestor")

        async def lose_answers() -> None:
            async with faulty_link(parts.plan.ports["nats"]) as link:
                user = parts.plan.nats_url("agent").rpartition("@")[0]
                chaos.url = f"{user}@127.0.0.1:{link.port}"
                await asyncio.to_thread(chaos.start, PUBLISHER)
                for _ in range(2):
                    await asyncio.to_thread(chaos.wait_for_promises, 200)
                    link.swallows_answers = True
                    await asyncio.to_thread(chaos.wait_for_promises, 1)
                    link.refuses = True
                    link.cut()
                    await asyncio.to_thread(outlast_window)
                    link.swallows_answers = link.refuses = False
                await asyncio.to_thread(chaos.settle)

        asyncio.run(lose_answers())
        check_account(parts.stack, chaos.promises())


@pytest.mark.timeout(120)
def test_bus_and_history_away_and_the_publisher_killed(tmp_path: Path) -> None:
    """The next process of the home sends what the dead one had spooled."""
    with (
        parts_at(tmp_path / "home", SETTINGS) as parts,
        chaos_around(parts.stack, tmp_path / "chaos", choose_seed()) as chaos,
    ):
        parts.start("history", "ingestor")
        chaos.start(PUBLISHER)
        chaos.wait_for_promises(300)
        parts.kill("nats", "history")
        chaos.wait_for_promises(100)
        outlast_window()
        chaos.kill(PUBLISHER)  # and a new one is started, which finds no bus
        chaos.wait_for_promises(100)
        chaos.kill(PUBLISHER)
        parts.start("nats", "history")
        chaos.settle()
        check_account(parts.stack, chaos.promises())
