import os
import subprocess
import sys
from pathlib import Path

import pytest

from infrastructure.intake.hooks import command
from infrastructure.intake.hooks.installed import (
    Installed,
    forget_installed,
    is_installed_policy,
    note_installed,
    read_installed,
)
from infrastructure.intake.hooks.pending import PendingFiles, read_pending
from nervous_system.home import Home


def keep(home: Path, payload: bytes, *, number: int = 1, is_gate: bool = False) -> None:
    head = command.header(f"{number:032x}", number, "codex", is_gate, len(payload))
    command.keep(str(home), head, payload)


def test_what_was_kept_is_read_in_order_whatever_its_bytes(tmp_path: Path) -> None:
    payloads = [b'{"a": 1}', b"", b"two\nlines\n", b"\xff\x00"]
    for number, payload in enumerate(payloads):
        keep(tmp_path, payload, number=number, is_gate=number == 2)
    waiting = PendingFiles(Home(tmp_path))
    (path,) = waiting.take()
    found = list(read_pending(path))
    assert [one.payload for one in found] == payloads
    assert [one.at_ns for one in found] == [0, 1, 2, 3]
    assert [one.is_denied for one in found] == [False, False, True, False]


def test_what_comes_while_others_are_sent_goes_into_another_file(tmp_path: Path) -> None:
    waiting = PendingFiles(Home(tmp_path))
    keep(tmp_path, b"one")
    waiting.take()
    keep(tmp_path, b"two")
    files = waiting.take()
    assert [[one.payload for one in read_pending(path)] for path in files] == [[b"one"], [b"two"]]
    for path in files:
        path.unlink()
    assert waiting.is_empty


def test_a_payload_that_was_cut_short_is_left_out(tmp_path: Path) -> None:
    keep(tmp_path, b"whole")
    keep(tmp_path, b"cut")
    (path,) = PendingFiles(Home(tmp_path)).take()
    os.truncate(path, path.stat().st_size - 2)
    assert [one.payload for one in read_pending(path)] == [b"whole"]


def test_a_full_store_drops_and_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "MAX_PENDING_BYTES", 250)
    for _ in range(4):
        keep(tmp_path, b"x" * 100)
    waiting = PendingFiles(Home(tmp_path))
    assert waiting.dropped_count == 3
    assert waiting.waiting_bytes < 300


@pytest.mark.parametrize(
    ("record", "port"),
    [
        ('{"otlp_url": "http://127.0.0.1:4318", "x": 1}', 4318),
        ('{"otlp_url": null}', 0),
        ("{}", 0),
        ("", 0),
    ],
)
def test_the_receiver_is_found_without_reading_json(tmp_path: Path, record: str, port: int) -> None:
    (tmp_path / "stack.json").write_text(record, encoding="utf-8")
    assert command.receiver_port(str(tmp_path)) == port


def test_a_home_without_a_stack_has_no_receiver(tmp_path: Path) -> None:
    assert command.receiver_port(str(tmp_path)) == 0


def test_the_command_imports_next_to_nothing() -> None:
    """What is imported decides how long an agent waits at each of its hooks."""
    seen = subprocess.run(
        [sys.executable, "-I", "-S", "-X", "importtime", command.__file__, "codex", "/nowhere"],
        input=b"{}",
        capture_output=True,
        check=True,
    ).stderr.decode()
    imported = {line.rpartition("|")[2].strip() for line in seen.splitlines()}
    assert not imported & {"json", "socket", "re", "enum", "pathlib", "site", "selectors", "typing"}


def test_a_gate_without_a_home_blocks_and_other_hooks_do_not(tmp_path: Path) -> None:
    def code(*arguments: str) -> int:
        words = [sys.executable, "-I", "-S", command.__file__, *arguments]
        return subprocess.run(words, input=b"{}", capture_output=True, check=False).returncode

    assert code("codex", str(tmp_path / "nowhere"), "gate") == 2
    assert code("codex", "/proc/nowhere", "gate") == 2
    assert code("codex", "/proc/nowhere") == 0
    assert code() == 0


def test_a_policy_counts_as_long_as_its_hooks_are_installed(tmp_path: Path) -> None:
    home = Home(tmp_path)
    for settings, policy in (("a", "/one"), ("b", "/two"), ("a", "/three")):
        note_installed(home, Installed(harness="codex", settings=settings, policy=policy))
    known = [
        one for one in ("/one", "/two", "/three", "") if is_installed_policy(home, "codex", one)
    ]
    assert known == ["/two", "/three"]
    assert not is_installed_policy(home, "claude-code", "/two")
    forget_installed(home, "a")
    assert [one.settings for one in read_installed(home)] == ["b"]
