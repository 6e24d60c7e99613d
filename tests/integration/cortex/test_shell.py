"""Commands in a workspace: they end, and everything that they changed is told."""

import asyncio
import os
import stat
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from cortex.errors import ToolFailedError
from cortex.tools.config import Limits, ShellConfig
from cortex.tools.process import Ending
from tests.support.eventually import eventually
from tests.support.workbench import Workbench

PYTHON = sys.executable


def hex_of(content: bytes) -> str:
    return sha256(content).hexdigest()


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def test_every_difference_is_a_change_that_the_call_caused(bench: Workbench) -> None:
    """New, changed, mode, renamed, deleted, ignored: nothing is missed."""
    for name in ("changed", "mode", "renamed", "deleted"):
        await bench.files.write(name, f"{name}\n")
    await bench.files.write(".gitignore", "*.log\n")
    script = (
        "echo more >> changed; chmod 755 mode; mkdir d; mv renamed d/new; rm deleted; "
        "echo x > ignored.log; ln -s nowhere link; : > empty"
    )
    result = await bench.shell().run(script)
    events = await bench.events()
    call = next(one for one in events if one.tool_call.tool_name == "run_command")
    told = [one for one in events if call.event_id in one.caused_by]
    changes = {one.state_change.target_resource: one.state_change for one in told}
    assert list(changes)[:2] == ["deleted", "d/new"]
    assert sorted(changes) == [
        "changed",
        "d/new",
        "deleted",
        "empty",
        "ignored.log",
        "link",
        "mode",
    ]
    assert changes["changed"].previous_state_hash == hex_of(b"changed\n")
    assert changes["changed"].diff_patch.endswith(" changed\n+more\n")
    assert changes["mode"].mode == 0o755
    assert changes["d/new"].renamed_from == "renamed"
    assert changes["deleted"].new_state_hash == ""
    assert stat.S_ISLNK(changes["link"].mode)
    assert len(result.differences) == 7


async def test_what_is_told_is_what_is_there(bench: Workbench) -> None:
    """The workspace's record and the directory agree after every call."""
    await bench.shell().run("mkdir -p a/b; echo 1 > a/b/c; echo 2 > a/d")
    await bench.shell().run("rm -r a; echo 3 > a")
    assert dict(bench.workspace.manifest) == (await bench.workspace.look()).files
    assert sorted(bench.workspace.manifest) == [b"a"]


async def test_same_size_and_time_hide_no_change(bench: Workbench) -> None:
    """A command that sets the old time again is found out all the same."""
    await bench.files.write("a", "one")
    await bench.shell().run("true")
    result = await bench.shell().run("touch -r a ref; printf two > a; touch -r ref a; rm ref")
    assert [one.path for one in result.differences] == [b"a"]


async def test_changes_from_outside_are_told_apart_from_the_commands(bench: Workbench) -> None:
    """What was there before the command began is not laid at its door."""
    (bench.root / "theirs").write_text("x")
    await bench.shell().run("echo y > ours")
    labels = {
        one.state_change.target_resource: dict(one.attributes)
        for one in await bench.events()
        if one.HasField("state_change")
    }
    assert labels == {"theirs": {"origin": "outside"}, "ours": {}}


async def test_failing_command_is_a_result(bench: Workbench) -> None:
    """Exit code and both outputs come back; the call is told as failed."""
    result = await bench.shell().run("echo out; echo err >&2; exit 3")
    assert (result.command.exit_code, result.command.stdout) == (3, b"out\n")
    assert result.command.stderr == b"err\n"
    (call,) = await bench.calls()
    assert call.tool_outcome == "failed"
    assert call.tool_result == "exit code 3\nout\nerr\n"


async def test_command_that_is_not_there_says_so(bench: Workbench) -> None:
    """As a shell does: 127 and one line."""
    result = await bench.shell().run(["no-such-program"])
    assert result.command.exit_code == 127
    assert result.command.stderr == b"no-such-program: No such file or directory\n"


async def test_time_limit_ends_the_command_and_keeps_what_it_did(bench: Workbench) -> None:
    """Also what it had put into sessions of their own is gone."""
    script = "echo 1 > before; setsid sleep 600 & echo $! > pid; sleep 600"
    result = await bench.shell().run(script, limits=Limits(seconds=1))
    assert result.command.ending is Ending.TIMED_OUT
    assert (await bench.calls())[0].tool_outcome == "timed_out"
    assert [one.path for one in result.differences] == [b"before", b"pid"]
    assert not is_running(int((bench.root / "pid").read_text()))


async def test_nothing_that_a_command_left_behind_stays(bench: Workbench) -> None:
    """A daemon that was started in the background ends with the command."""
    await bench.shell().run("setsid sh -c 'sleep 600 & sleep 600' & echo $! > pid")
    assert not is_running(int((bench.root / "pid").read_text()))


async def test_memory_limit_holds_for_one_process(bench: Workbench) -> None:
    """What asks for more gets an error, not the machine's memory."""
    code = "try:\n x = bytearray(1 << 30)\nexcept MemoryError:\n print('refused')"
    limits = Limits(memory_bytes=256 << 20)
    result = await bench.shell().run([PYTHON, "-c", code], limits=limits)
    assert result.command.stdout == b"refused\n"


async def test_memory_limit_holds_for_all_processes_together(bench: Workbench) -> None:
    """Each one within the limit, all of them not: they are ended."""
    code = "import time; x = b'x' * (120 << 20); time.sleep(600)"
    one = f'{PYTHON} -c "{code}" & '
    result = await bench.shell().run(one * 4 + "wait", limits=Limits(memory_bytes=256 << 20))
    assert result.command.ending is Ending.OUT_OF_MEMORY


async def test_number_of_processes_is_limited(bench: Workbench) -> None:
    """Before the machine is full of them."""
    script = "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 600 & done; wait"
    result = await bench.shell().run(script, limits=Limits(processes=8))
    assert result.command.ending is Ending.TOO_MANY_PROCESSES


async def test_size_of_a_written_file_is_limited(bench: Workbench) -> None:
    """The disk is not filled."""
    script = "head -c 3000000 /dev/zero > big"
    await bench.shell().run(script, limits=Limits(file_bytes=1 << 20))
    assert (bench.root / "big").stat().st_size == 1 << 20


async def test_output_is_cut_in_the_middle(bench: Workbench) -> None:
    """Its beginning and its end are kept, also while it never stops."""
    code = "print('first'); print('x' * 9_000_000); print('last')"
    result = await bench.shell().run([PYTHON, "-c", code], limits=Limits(output_bytes=1000))
    assert result.command.stdout.startswith(b"first\n")
    assert result.command.stdout.endswith(b"\nlast\n")
    assert len(result.command.stdout) < 1100


async def test_no_secret_of_our_environment_reaches_a_command(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what is listed, what is configured, and where the work belongs."""
    monkeypatch.setenv("OPENAI_API_KEY", "hidden")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    config = ShellConfig(environment={"MODE": "test"})
    result = await bench.shell(config).run("env; echo; cat /proc/self/environ | tr '\\0' '\\n'")
    text = result.command.stdout.decode()
    assert "hidden" not in text
    assert "MODE=test" in text
    assert "TRACEPARENT=00-" in text
    assert f"HOME={os.environ.get('HOME', 'none')}\n" not in text


async def test_cancelled_call_ends_the_command_and_tells_what_it_did(bench: Workbench) -> None:
    """Nothing runs on, and nothing that happened is missing on the bus."""
    running = asyncio.create_task(bench.shell().run("echo $$ > pid; sleep 600"))
    await eventually(lambda: (bench.root / "pid").exists() and (bench.root / "pid").stat().st_size)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not is_running(int((bench.root / "pid").read_text()))
    (call,) = await bench.calls()
    assert (call.tool_outcome, call.tool_result) == ("failed", "CancelledError")
    assert [one.target_resource for one in await bench.changes()] == ["pid"]


async def test_command_that_kills_its_keeper_ends_too(bench: Workbench) -> None:
    """What it left elsewhere is found by its environment."""
    script = "setsid sleep 600 & echo $! > pid; kill -9 $PPID; sleep 600"
    result = await bench.shell().run(script)
    assert result.command.ending is Ending.LOST
    pid = int((bench.root / "pid").read_text())
    await eventually(lambda: not is_running(pid))


async def test_special_files_are_named_and_left_out(bench: Workbench) -> None:
    """A pipe hangs nobody."""
    result = await bench.shell().run("mkfifo pipe; echo x > file")
    assert result.skipped == ("pipe",)
    assert [one.path for one in result.differences] == [b"file"]


async def test_names_that_are_not_utf8_are_told_whole(bench: Workbench) -> None:
    """The bytes of the name are in the event; a rename of such is told as two changes."""
    await bench.shell().run("printf x > \"$(printf 'n\\377')\"")
    await bench.shell().run("mv \"$(printf 'n\\377')\" plain")
    changes = await bench.changes()
    assert [(one.target_resource, one.resource_bytes) for one in changes] == [
        ("n\\xff", b"n\xff"),
        ("n\\xff", b"n\xff"),
        ("plain", b""),
    ]


async def test_workspace_that_cannot_be_read_is_a_failed_call(bench: Workbench) -> None:
    """A tree deeper than anything reasonable is refused with its name."""
    script = "for i in $(seq 250); do mkdir d; cd d || exit; done; echo x > f"
    with pytest.raises(ToolFailedError, match="200 deep"):
        await bench.shell().run(script)
    assert (await bench.calls())[0].tool_outcome == "failed"
