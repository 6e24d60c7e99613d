"""A full disk under the bus, and one under history: said clearly, outlived, nothing lost.

Each side gets a small file system of its own, which takes root and Linux's tmpfs to mount.
"""

import asyncio
import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import nervous_system as ns
from nervous_system.comms.connection import open_nats
from nervous_system.config import BusConfig, SpoolConfig, SwarmConfig
from nervous_system.home import Home
from tests.support.bus import declare
from tests.support.chaos import PUBLISHER, chaos_around, check_account, choose_seed
from tests.support.chaos_publisher import SPOOLED
from tests.support.eventually import eventually_blocking
from tests.support.stacks import Stack, stack_at

SIZE = "160m"
Mount = Callable[[Path], None]


@pytest.fixture
def mount() -> Iterator[Mount]:
    """Mount small file systems; gone at the end."""
    mounted: list[Path] = []

    def mount_at(place: Path) -> None:
        place.mkdir(parents=True)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tmpfs", str(place)],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            pytest.skip(f"no small file system to fill: {done.stderr.strip()} (it takes root)")
        mounted.append(place)

    try:
        yield mount_at
    finally:
        for place in mounted:
            subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.timeout(150)
def test_agents_spool_while_the_disk_of_the_bus_is_full(tmp_path: Path, mount: Mount) -> None:
    """The stack says so; when there is room, it recovers by itself and the spool is sent."""
    home = prepared_home(tmp_path)
    mount(home.nats)
    with (
        stack_at(home.root) as stack,
        chaos_around(stack, tmp_path / "chaos", choose_seed()) as chaos,
    ):
        stack.up()
        chaos.start(PUBLISHER)
        chaos.wait_for_promises(200)
        ballast = fill(home.nats)
        eventually_blocking(lambda: "is full" in trouble_of(stack), timeout=40)
        assert "is full" in stack.swarm("status", expected=3).stderr
        chaos.wait_for_promises(50)
        ballast.unlink()
        assert stack.wait_ready()["trouble"] == ""
        chaos.wait_for_promises(200)
        chaos.settle()
        assert chaos.count(SPOOLED)
        check_account(stack, chaos.promises())
    assert "disk_full" in stack.log("supervisor")


@pytest.mark.timeout(150)
def test_events_wait_in_the_stream_while_the_disk_of_history_is_full(
    tmp_path: Path, mount: Mount
) -> None:
    """Publishing goes on; history says why it does not follow, and catches up when it can."""
    home = prepared_home(tmp_path)
    mount(home.history)
    with (
        stack_at(home.root) as stack,
        chaos_around(stack, tmp_path / "chaos", choose_seed()) as chaos,
    ):
        stack.up()
        chaos.start(PUBLISHER)
        chaos.wait_for_promises(200)
        ballast = fill(home.history)
        chaos.wait_for_promises(500)
        eventually_blocking(lambda: "NOT_ENOUGH_SPACE" in stack.log("ingestor"), timeout=40)
        assert trouble_of(stack).startswith(f"the disk of {home.history} is full")
        chaos.wait_for_promises(500)
        assert "behind" in stack.swarm("verify", "--timeout", "1", expected=1).stderr
        ballast.unlink()
        assert stack.wait_ready()["trouble"] == ""
        chaos.settle()
        check_account(stack, chaos.promises())


@pytest.mark.soak
@pytest.mark.timeout(150)
def test_agents_wait_while_the_disk_of_the_whole_home_is_full(tmp_path: Path, mount: Mount) -> None:
    """Bus, history and spool share it: nothing can be kept anywhere, and all go on afterwards."""
    mount(tmp_path / "disk")
    with (
        stack_at(tmp_path / "disk" / "home") as stack,
        chaos_around(stack, tmp_path / "chaos", choose_seed()) as chaos,
    ):
        stack.up()
        chaos.start(PUBLISHER)
        chaos.wait_for_promises(200)
        ballast = fill(tmp_path / "disk")
        eventually_blocking(lambda: "is full" in trouble_of(stack), timeout=40)
        chaos.wait_until_silent()
        ballast.unlink()
        assert stack.wait_ready()["trouble"] == ""
        chaos.wait_for_promises(500)
        chaos.settle()
        check_account(stack, chaos.promises())


@pytest.mark.timeout(60)
async def test_agent_goes_on_when_the_disk_of_its_spool_has_room_again(
    tmp_path: Path, mount: Mount, nats_url: str
) -> None:
    """It blocks, as a full spool does by default; nothing else is under way that could wake it."""
    mount(tmp_path / "disk")
    async with open_nats(nats_url, name="test") as client:
        await declare(client.jetstream())
    spool = SpoolConfig(directory=tmp_path / "disk" / "spool")
    config = SwarmConfig(home=Home(tmp_path), bus=BusConfig(url=nats_url, spool=spool))
    async with ns.connect(config=config) as swarm, swarm.agent("a", role="coder") as agent:
        await agent.decide(rationale="before", wait=False)
        ballast = fill(tmp_path / "disk")
        handing_over = asyncio.create_task(hand_over(agent))
        await asyncio.wait({handing_over}, timeout=2)
        assert not handing_over.done()
        ballast.unlink()
        await asyncio.wait_for(handing_over, 10)
    assert agent.lost_count == 0


async def hand_over(agent: Any) -> None:
    """Hand over more than what fits into the last page of the disk."""
    for _ in range(20):
        await agent.decide(rationale="x" * 1000, wait=False)


def prepared_home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.ensure()
    return home


def trouble_of(stack: Stack) -> str:
    return str(stack.json("status", expected=None)["trouble"])


def fill(folder: Path) -> Path:
    """Write until there is no room left; return the file to remove."""
    ballast = folder / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 20))
    with contextlib.suppress(OSError), ballast.open("ab", buffering=0) as file:
        while True:
            file.write(bytes(1 << 10))
    return ballast
