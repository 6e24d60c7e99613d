"""Snapshots see every change, and read again only what may have changed."""

import os
import stat
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from cortex.errors import ToolFailedError
from cortex.tools import snapshot
from cortex.tools.contents import Contents
from cortex.tools.snapshot import Snapshotter
from nervous_system.changes import SYMLINK_MODE

NOBODY = 65534


class CountingContents(Contents):
    """Contents that know how many files were read."""

    read_count = 0

    def keep_open_file(self, descriptor: int, *, max_bytes: int) -> tuple[str, int]:
        self.read_count += 1
        return super().keep_open_file(descriptor, max_bytes=max_bytes)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    made.mkdir()
    return made


@pytest.fixture
def contents(tmp_path: Path) -> CountingContents:
    return CountingContents(tmp_path / "contents")


@pytest.fixture
def snapshotter(root: Path, contents: CountingContents) -> Snapshotter:
    return Snapshotter(root, contents)


def hex_of(content: bytes) -> str:
    return sha256(content).hexdigest()


def let_the_clock_step(path: Path) -> None:
    """Return when a change of `path` would show in its times."""
    while time.time_ns() - path.stat().st_ctime_ns <= 2 * snapshot.TICK_NS:
        os.sched_yield()


def test_files_links_and_modes_are_seen(root: Path, snapshotter: Snapshotter) -> None:
    (root / "d").mkdir()
    (root / "d" / "run").write_bytes(b"#!/bin/sh\n")
    (root / "d" / "run").chmod(0o750)
    (root / "link").symlink_to("d/run")
    files = snapshotter.take().files
    assert sorted(files) == [b"d/run", b"link"]
    assert (files[b"d/run"].mode, files[b"d/run"].digest) == (0o750, hex_of(b"#!/bin/sh\n"))
    assert (files[b"link"].mode, files[b"link"].digest) == (SYMLINK_MODE, hex_of(b"d/run"))
    assert files[b"link"].size_bytes == len("d/run")


def test_every_content_is_kept(root: Path, contents: Contents, snapshotter: Snapshotter) -> None:
    large = os.urandom(1 << 20) * 3
    (root / "a").write_bytes(b"")
    (root / "b").write_bytes(large)
    files = snapshotter.take().files
    assert contents.get(files[b"a"].digest) == b""
    assert contents.get(files[b"b"].digest) == large


def test_unchanged_file_is_read_once(
    root: Path, contents: CountingContents, snapshotter: Snapshotter
) -> None:
    (root / "a").write_text("x")
    let_the_clock_step(root / "a")
    assert snapshotter.take() == snapshotter.take()
    assert contents.read_count == 1


def test_file_that_may_still_change_unseen_is_read_again(
    root: Path, contents: CountingContents, snapshotter: Snapshotter
) -> None:
    (root / "a").write_text("x")
    snapshotter.take()
    snapshotter.take()
    assert contents.read_count == 2


def test_change_of_same_size_and_time_is_seen(root: Path, snapshotter: Snapshotter) -> None:
    path = root / "a"
    path.write_text("one")
    before = path.stat()
    let_the_clock_step(path)
    snapshotter.take()
    path.write_text("two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert snapshotter.take().files[b"a"].digest == hex_of(b"two")


def test_file_put_in_the_place_of_another_is_seen(root: Path, snapshotter: Snapshotter) -> None:
    path = root / "a"
    path.write_text("one")
    let_the_clock_step(path)
    snapshotter.take()
    (root / "b").write_text("two")
    (root / "b").replace(path)
    assert snapshotter.take().files[b"a"].digest == hex_of(b"two")


def test_git_and_our_temporaries_are_no_content(root: Path, snapshotter: Snapshotter) -> None:
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("x")
    (root / ".swarm-0123456789abcdef.part").write_text("x")
    (root / "sub").mkdir()
    (root / "sub" / ".git").write_text("gitdir: elsewhere")
    assert sorted(snapshotter.take().files) == [b"sub/.git"]


def test_special_files_are_named_and_not_opened(root: Path, snapshotter: Snapshotter) -> None:
    os.mkfifo(root / "pipe")
    found = snapshotter.take()
    assert (found.files, found.skipped) == ({}, (b"pipe",))


def test_link_to_a_directory_is_not_entered(
    root: Path, tmp_path: Path, snapshotter: Snapshotter
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("x")
    (root / "d").symlink_to(tmp_path / "outside")
    assert sorted(snapshotter.take().files) == [b"d"]


def test_name_that_is_not_utf8_stays_as_it_is(root: Path, snapshotter: Snapshotter) -> None:
    Path(os.fsdecode(os.fsencode(root) + b"/n\xff")).write_text("x")
    assert list(snapshotter.take().files) == [b"n\xff"]


def test_too_large_file_is_told(
    root: Path, snapshotter: Snapshotter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "MAX_FILE_BYTES", 1 << 20)
    (root / "a").write_bytes(bytes((1 << 20) + 1))
    with pytest.raises(ToolFailedError, match="more than 1048576 bytes"):
        snapshotter.take()


def test_too_many_files_are_told(
    root: Path, snapshotter: Snapshotter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "MAX_FILES", 2)
    for name in "abc":
        (root / name).write_text("x")
    with pytest.raises(ToolFailedError, match="more than 2 files"):
        snapshotter.take()


def test_root_that_is_gone_is_told(tmp_path: Path, contents: Contents) -> None:
    with pytest.raises(ToolFailedError, match="cannot be read"):
        Snapshotter(tmp_path / "none", contents).take()


def test_mode_bits_beyond_permissions_are_kept(root: Path, snapshotter: Snapshotter) -> None:
    (root / "a").write_text("x")
    (root / "a").chmod(0o4755)
    assert stat.S_IMODE(snapshotter.take().files[b"a"].mode) == 0o4755


@pytest.fixture
def ordinary_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Rights count for this test also where root runs it."""
    monkeypatch.chdir(tmp_path)
    if os.geteuid() == 0:
        for folder in (tmp_path, *tmp_path.iterdir()):
            os.chown(folder, NOBODY, NOBODY)
        os.seteuid(NOBODY)
        yield
        os.seteuid(0)
    else:
        yield


@pytest.mark.usefixtures("root", "ordinary_user")
def test_what_a_command_locked_is_read_and_stays_locked() -> None:
    root = Path("root")
    (root / "locked").mkdir()
    (root / "locked" / "a").write_text("x")
    (root / "b").write_text("y")
    (root / "b").chmod(0)
    (root / "locked").chmod(0)
    files = Snapshotter(root, Contents(Path("contents"))).take().files
    assert (files[b"b"].mode, files[b"b"].digest) == (0, hex_of(b"y"))
    assert stat.S_IMODE((root / "locked").stat().st_mode) == 0
    (root / "locked").chmod(0o700)
    assert files[b"locked/a"].digest == hex_of(b"x")
