"""Nothing leads out of a confined directory, at whatever moment it is tried."""

import ctypes
import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from cortex.errors import ToolError, ToolFailedError, ToolRefusedError
from cortex.tools.confined import ConfinedDirectory

ROUNDS = 100
AT_FDCWD, RENAME_EXCHANGE = -100, 2


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    made = tmp_path / "outside"
    made.mkdir()
    (made / "f").write_bytes(b"secret")
    return made


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    (made / "d").mkdir(parents=True)
    (made / "d" / "f").write_bytes(b"inside")
    return made


@pytest.fixture
def confined(root: Path) -> ConfinedDirectory:
    return ConfinedDirectory(root)


def read(confined: ConfinedDirectory, *parts: bytes) -> bytes:
    with confined.open_file("read", parts) as (descriptor, _):
        return os.read(descriptor, 100)


@contextmanager
def swapping(exchange: Callable[[], None]) -> Iterator[None]:
    """Call `exchange` in another thread as often as it can while the block runs."""
    stopped = threading.Event()

    def swap() -> None:
        while not stopped.is_set():
            exchange()

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def directory_for_link(root: Path, outside: Path) -> Callable[[], None]:
    """Return what exchanges `d` for a link to outside, or back, at one moment."""
    (root / "link").symlink_to(outside)
    names = os.fsencode(root / "d"), os.fsencode(root / "link")
    exchange = ctypes.CDLL(None, use_errno=True).renameat2

    def swap() -> None:
        # What is refused at this moment is tried again in the next.
        exchange(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE)

    return swap


def test_writing_never_follows_a_directory_exchanged_for_a_link(
    confined: ConfinedDirectory, root: Path, outside: Path
) -> None:
    written, refused = 0, 0
    with swapping(directory_for_link(root, outside)):
        while min(written, refused) < ROUNDS:
            try:
                confined.replace("write", (b"d", b"f"), b"new", 0o644)
                written += 1
            except ToolRefusedError:
                refused += 1
    assert os.listdir(outside) == ["f"]
    assert (outside / "f").read_bytes() == b"secret"


def test_reading_never_follows_a_directory_exchanged_for_a_link(
    confined: ConfinedDirectory, root: Path, outside: Path
) -> None:
    found: set[bytes] = set()
    refused = 0
    with swapping(directory_for_link(root, outside)):
        while not found or refused < ROUNDS:
            try:
                found.add(read(confined, b"d", b"f"))
            except ToolRefusedError:
                refused += 1
    assert found == {b"inside"}


def test_deleting_and_moving_never_follow_it_either(
    confined: ConfinedDirectory, root: Path, outside: Path
) -> None:
    with swapping(directory_for_link(root, outside)):
        for _ in range(ROUNDS):
            with suppress(ToolError):
                confined.move("move", (b"d", b"f"), (b"d", b"g"))
            with suppress(ToolError):
                confined.delete("delete", (b"d", b"g"))
            with suppress(ToolError):
                confined.replace("write", (b"d", b"f"), b"x", 0o644)
    assert os.listdir(outside) == ["f"]


def test_file_exchanged_for_a_link_or_pipe_is_not_followed(
    confined: ConfinedDirectory, root: Path, outside: Path
) -> None:
    (root / "link").symlink_to(outside / "f")
    os.mkfifo(root / "pipe")
    target = root / "f"
    target.write_bytes(b"inside")

    def exchange() -> None:
        for name in ("link", "pipe", "d/f"):
            (root / "next").unlink(missing_ok=True)
            os.link(root / name, root / "next", follow_symlinks=False)
            (root / "next").rename(target)

    found: set[bytes] = set()
    with swapping(exchange):
        while not found:
            with suppress(ToolError):
                found.add(read(confined, b"f"))
        for _ in range(ROUNDS):
            with suppress(ToolError):
                found.add(read(confined, b"f"))
    assert found == {b"inside"}


def test_replacing_a_file_that_becomes_a_link_replaces_the_link(
    confined: ConfinedDirectory, root: Path, outside: Path
) -> None:
    def exchange() -> None:
        with suppress(FileExistsError):
            (root / "next").symlink_to(outside / "f")
        (root / "next").rename(root / "f")

    with swapping(exchange):
        for _ in range(ROUNDS):
            with suppress(ToolError):
                confined.replace("write", (b"f",), b"x", 0o644)
    assert (outside / "f").read_bytes() == b"secret"


def test_reader_sees_the_old_content_or_the_new_never_a_part(
    confined: ConfinedDirectory, root: Path
) -> None:
    contents = [bytes([number]) * 100_000 for number in range(8)]
    (root / "f").write_bytes(contents[0])
    seen = set()

    def look() -> None:
        seen.add((root / "f").read_bytes())

    with swapping(look):
        for content in contents * 5:
            confined.replace("write", (b"f",), content, 0o644)
    assert seen <= set(contents)


def test_root_exchanged_for_another_directory_is_refused(
    confined: ConfinedDirectory, root: Path, outside: Path
) -> None:
    read(confined, b"d", b"f")
    root.rename(root.with_name("aside"))
    outside.rename(root)
    with pytest.raises(ToolRefusedError, match="exchanged"):
        read(confined, b"f")


def test_root_that_is_a_link_is_not_entered(tmp_path: Path, outside: Path) -> None:
    (tmp_path / "link").symlink_to(outside)
    with pytest.raises(ToolFailedError):
        read(ConfinedDirectory(tmp_path / "link"), b"f")


@pytest.mark.parametrize("kind", ["directory", "symbolic link", "pipe", "socket", "device"])
def test_what_is_no_file_is_refused_by_its_kind(
    confined: ConfinedDirectory, root: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)  # names of sockets are short
    bound = socket.socket(socket.AF_UNIX)
    make: dict[str, Callable[[], object]] = {
        "directory": lambda: os.mkdir("x"),
        "symbolic link": lambda: os.symlink("d/f", "x"),
        "pipe": lambda: os.mkfifo("x"),
        "socket": lambda: bound.bind("x"),
        "device": lambda: os.mknod("x", stat.S_IFCHR | 0o600, os.makedev(1, 3)),
    }
    try:
        make[kind]()
    except PermissionError:
        pytest.skip("devices are made by root only")
    finally:
        bound.close()
    with pytest.raises(ToolRefusedError, match=f"is a {kind}, no ordinary file"):
        read(confined, b"x")
    with pytest.raises(ToolRefusedError, match=f"is a {kind}, no ordinary file"):
        confined.replace("write", (b"x",), b"", 0o644)


def test_file_on_the_way_is_refused(confined: ConfinedDirectory) -> None:
    with pytest.raises(ToolRefusedError, match="'d/f': is a file, no directory"):
        confined.replace("write", (b"d", b"f", b"x"), b"", 0o644)


def test_failed_write_leaves_nothing_behind(
    confined: ConfinedDirectory, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ToolFailedError, match="d/f: No space left on device"):
        confined.replace("write", (b"d", b"f"), b"new", 0o644)
    assert os.listdir(root / "d") == ["f"]
    assert (root / "d" / "f").read_bytes() == b"inside"


def test_another_name_of_the_same_file_is_not_written_to(
    confined: ConfinedDirectory, root: Path, outside: Path
) -> None:
    os.link(outside / "f", root / "f")
    confined.replace("write", (b"f",), b"x", 0o755)
    assert (outside / "f").read_bytes() == b"secret"
    assert stat.S_IMODE((outside / "f").stat().st_mode) == 0o644


def test_move_onto_something_is_refused(confined: ConfinedDirectory, root: Path) -> None:
    (root / "g").write_bytes(b"x")
    with pytest.raises(ToolRefusedError, match="exists already"):
        confined.move("move", (b"g",), (b"d", b"f"))


def test_directories_that_become_empty_go_up_to_the_root(
    confined: ConfinedDirectory, root: Path
) -> None:
    confined.replace("write", (b"x", b"y", b"z"), b"", 0o644)
    confined.delete("delete", (b"x", b"y", b"z"))
    confined.delete("delete", (b"d", b"f"))
    assert os.listdir(root) == []


def test_no_descriptor_is_left_open(confined: ConfinedDirectory) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for parts in ((b"d", b"f"), (b"d", b"none"), (b"d", b"f", b"x"), (b"none", b"x")):
        with suppress(ToolError):
            read(confined, *parts)
        with suppress(ToolError):
            confined.replace("write", parts, b"", 0o644)
        with suppress(ToolError):
            confined.list("list", parts)
    assert len(os.listdir("/proc/self/fd")) == before
