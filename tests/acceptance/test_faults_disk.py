"""A full disk under the bus, and one under history: said clearly, outlived, nothing lost.

Each side gets a small file system of its own, which takes root and Linux's tmpfs to mount.
"""

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nervous_system.home import Home
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
