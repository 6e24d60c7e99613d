"""The embedded stack through the `swarm` command: real processes, real kills, a real full disk."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nats
import pytest

from infrastructure.stack.leftover import is_alive, mark_process, read_marks
from nervous_system.home import write_json
from tests.support.builders import build_event, build_minimal_event
from tests.support.eventually import eventually_blocking
from tests.support.stacks import SWARM, Stack, running_stack, stack_at

NAMES = ["supervisor", "nats", "history", "ingestor", "dashboard"]


def publish(url: str, count: int = 1, timeout: float = 5) -> None:
    """Publish as a program that knows only the frozen schema: plain nats-py, plain `js.publish`."""

    async def run() -> None:
        client = await nats.connect(url)
        try:
            for _ in range(count):
                event = build_minimal_event().SerializeToString()
                subject = "swarm.events.architect.decision"
                await client.jetstream().publish(subject, event, timeout=timeout)
        finally:
            await client.close()

    asyncio.run(run())


def count_events(stack: Stack) -> int:
    return int(stack.sql("select count() as n from swarm.events")[0]["n"])


def test_status_names_urls_and_processes_that_work(stack: Stack) -> None:
    """What `status --json` promises, usable as printed."""
    status = stack.json("status")
    assert status["ready"] is True
    with urllib.request.urlopen(status["dashboard_url"].replace("/login", "/healthz")) as answer:
        assert answer.status == 200
    assert status["lag_events"] == 0
    assert [process["name"] for process in status["processes"]] == NAMES
    assert all(mark_process("p", process["pid"]).started for process in status["processes"])
    publish(status["nats_url"])
    publish(stack.record["publisher_nats_url"])
    assert count_events(stack) == 2


def test_second_up_says_that_it_runs_already_and_where(stack: Stack) -> None:
    """One line, exit code 1; the first stack goes on."""
    for arguments in (["up", "--detach"], ["up"]):
        done = stack.swarm(*arguments, expected=1)
        assert f"runs already (pid {stack.pid('supervisor')}" in done.stderr
        assert stack.record["public_nats_url"] in done.stderr
        assert done.stderr.count("\n") == 1
    assert stack.json("status")["ready"]


def test_down_drains_and_up_comes_back_where_it_was(stack: Stack) -> None:
    """Nothing runs after `down`; the next `up` has the same URLs and all events."""
    publish(stack.record["publisher_nats_url"], 20)
    before = stack.record
    marks = read_marks(stack.root / "children.json")
    assert len(marks) == 4
    stack.down()
    assert not any(is_alive(mark) for mark in marks)
    assert stack.json("status", expected=3)["ready"] is False
    assert not stack.home.stack_file.exists()
    assert "no stack runs" in stack.swarm("down").stderr
    stack.up()
    assert stack.record["nats_url"] == before["nats_url"]
    assert stack.record["clickhouse_url"] == before["clickhouse_url"]
    assert count_events(stack) == 20


@pytest.mark.parametrize("name", ["nats", "history", "ingestor", "dashboard"])
def test_killed_process_is_reported_and_started_again(stack: Stack, name: str) -> None:
    """Acknowledged events of before and after are all there."""
    publish(stack.record["publisher_nats_url"], 5)
    before = stack.pid(name)
    stack.kill(name)
    eventually_blocking(lambda: stack.pid(name) != before)
    stack.wait_ready()
    publish(stack.record["publisher_nats_url"], 5)
    assert count_events(stack) == 10
    report = next(line for line in stack.log("supervisor").splitlines() if "child_died" in line)
    assert f"child={name}" in report
    assert "exit_code=-9" in report


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the Linux kernel")
def test_killing_the_supervisor_ends_its_children_and_up_recovers(stack: Stack) -> None:
    """The kernel ends them; the record of the dead stack misleads nobody."""
    publish(stack.record["publisher_nats_url"], 5)
    marks = read_marks(stack.root / "children.json")
    stack.kill("supervisor")
    eventually_blocking(lambda: not any(is_alive(mark) for mark in marks), timeout=30)
    assert stack.json("status", expected=3)["ready"] is False
    stack.up()
    assert count_events(stack) == 5


def test_up_ends_what_a_killed_supervisor_has_left_hanging(stack: Stack) -> None:
    """A child that cannot react to the kernel's signal is ended by the next `up`."""
    [history] = [m for m in read_marks(stack.root / "children.json") if m.name == "history"]
    os.kill(history.pid, signal.SIGSTOP)
    stack.kill("supervisor")
    assert is_alive(history)
    stack.up()
    assert not is_alive(history)
    assert stack.json("status")["ready"]
    assert "leftover_ended" in stack.log("supervisor")


def test_ctrl_c_drains_and_exits_130_quietly(tmp_path: Path) -> None:
    """In the foreground, with the URLs on stdout and nothing on stderr."""
    with stack_at(tmp_path / "home") as stack:
        process = subprocess.Popen(
            [SWARM, "up", "--home", str(stack.root)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        eventually_blocking(stack.home.stack, timeout=30)
        marks = read_marks(stack.root / "children.json")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, err) == (130, "")
        assert "nats://operator:" in out
        assert not any(is_alive(mark) for mark in marks)


def test_ports_that_somebody_else_has_taken_are_replaced_and_kept(tmp_path: Path) -> None:
    """The stack of this home is found at the ports in its record, also the second time."""
    with socket.socket() as listener, stack_at(tmp_path / "home") as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken = listener.getsockname()[1]
        stack.home.ensure()
        write_json(stack.home.settings_file, {"ports": {"nats": taken}})
        stack.swarm("up", "--detach")
        first = stack.record
        assert not first["nats_url"].endswith(f":{taken}")
        stack.down()
        stack.swarm("up", "--detach")
        assert stack.record["nats_url"] == first["nats_url"]


def test_port_that_is_asked_for_and_taken_is_refused(tmp_path: Path) -> None:
    """One line that names it."""
    with socket.socket() as listener, stack_at(tmp_path / "home") as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        for detach in (["--detach"], []):
            done = stack.swarm("up", *detach, "--port", f"nats={port}", expected=2)
            assert f"nats={port}" in done.stderr
            assert done.stderr.count("\n") == 1


def test_directory_that_up_was_called_in_stays_clean_and_may_vanish(tmp_path: Path) -> None:
    """History writes below its home only."""
    start = tmp_path / "start"
    start.mkdir()
    with stack_at(tmp_path / "home") as stack:
        command = [SWARM, "up", "--detach", "--home", str(stack.root)]
        subprocess.run(command, cwd=start, check=True, capture_output=True, timeout=60)
        publish(stack.record["publisher_nats_url"])
        assert count_events(stack) == 1
        start.rmdir()
        stack.kill("history")
        eventually_blocking(lambda: "child_died" in stack.log("supervisor"))
        stack.wait_ready()
        publish(stack.record["publisher_nats_url"])
        assert count_events(stack) == 2


LEAVING_AGENT = """
import sys
from pathlib import Path
import nervous_system as ns
with ns.blocking.connect(home=Path(sys.argv[1])) as swarm, swarm.agent("a", role="coder") as agent:
    agent.change_file("a.txt", before=None, after=b"kept on disk", wait=False)
"""


@pytest.mark.timeout(120)
def test_up_sends_what_an_agent_has_left_behind_while_the_bus_was_away(stack: Stack) -> None:
    """Nobody has to start another agent: events and their content are in history."""
    stack.down()
    command = [sys.executable, "-c", LEAVING_AGENT, str(stack.root)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    stack.up()
    eventually_blocking(lambda: count_events(stack) == 3, timeout=30)
    count = "select count() as n from swarm.blobs where content = 'kept on disk'"
    eventually_blocking(lambda: stack.sql(count)[0]["n"] in {1, "1"}, timeout=30)
    assert stack.json("verify")["ok"]
    assert list(stack.home.spool.iterdir()) == []


def test_process_that_cannot_start_fails_up_with_its_last_words(tmp_path: Path) -> None:
    """One line with the process, its reason and its log; nothing is left running."""
    with stack_at(tmp_path / "home") as stack:
        store = stack.home.nats / "store"
        store.mkdir(parents=True)
        (store / "jetstream").write_text("in the way", encoding="utf-8")
        for detach in (["--detach"], []):
            done = stack.swarm("up", *detach, expected=None)
            assert done.returncode == 1
            assert "nats did not start: it ended with 1, saying: " in done.stderr
            assert str(stack.home.logs / "nats.log") in done.stderr
            assert done.stderr.count("\n") == 1
            assert not stack.home.stack_file.exists()


def test_home_is_closed_to_others(stack: Stack) -> None:
    """Credentials and everything around them are the owner's alone."""
    assert stack.root.stat().st_mode & 0o077 == 0
    for name in ("credentials.json", "stack.json", "nats/nats-server.conf"):
        assert (stack.root / name).stat().st_mode & 0o077 == 0, name
    assert (stack.root / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_doctor_finds_nothing_wrong_with_a_fresh_stack(stack: Stack) -> None:
    """Every check is made and none fails."""
    findings = stack.json("doctor")
    levels = {finding["check"]: finding["level"] for finding in findings}
    assert levels["fsync"] == "ok"
    assert levels["waiting ENCHANTED_SWARM"] == "ok"
    assert levels["clock history"] == "ok"
    assert {level for check, level in levels.items() if check != "space"} == {"ok"}


def test_doctor_names_a_file_that_others_can_read(stack: Stack) -> None:
    """And says what to do; exit code 1."""
    stack.home.credentials_file.chmod(0o644)
    findings = stack.json("doctor", expected=1)
    [found] = [finding for finding in findings if finding["level"] == "failed"]
    assert "credentials.json" in found["check"]
    assert "chmod" in found["fix"]


def test_doctor_says_how_many_events_wait_and_for_how_long(stack: Stack) -> None:
    """With an ingestor that does not move."""
    os.kill(stack.pid("ingestor"), signal.SIGSTOP)
    try:
        publish(stack.record["publisher_nats_url"], 3)
        findings = {finding["check"]: finding for finding in stack.json("doctor")}
    finally:
        os.kill(stack.pid("ingestor"), signal.SIGCONT)
    waiting = findings["waiting ENCHANTED_SWARM"]
    assert waiting["detail"] == "3 events wait, the oldest for 0.0 days of 30.0 days"


def test_two_stacks_that_start_at_the_same_moment_get_ports_of_their_own(tmp_path: Path) -> None:
    """No port is named, so both would like the usual ones."""
    with stack_at(tmp_path / "a") as one, stack_at(tmp_path / "b") as other:
        commands = [[SWARM, "up", "--detach", "--home", str(s.root)] for s in (one, other)]
        processes = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
        assert [process.wait(timeout=60) for process in processes] == [0, 0]
        assert one.record["nats_url"].split("@")[1] != other.record["nats_url"].split("@")[1]
        assert one.json("status")["ready"]
        assert other.json("status")["ready"]


def test_agent_user_of_the_home_speaks_for_its_agents_only(tmp_path: Path) -> None:
    """`agents` in swarm.json makes users and binds them."""
    with stack_at(tmp_path / "home") as stack:
        stack.home.ensure()
        write_json(stack.home.settings_file, {"agents": {"team": ["coder-1"]}})
        stack.swarm("up", "--detach")
        asyncio.run(publish_as_team(stack.record["agent_nats_urls"]["team"]))
        rows = stack.sql("select subject from swarm.events")
        assert rows == [{"subject": "swarm.events.coder.decision.coder-1"}]


async def publish_as_team(url: str) -> None:
    """Once as its own agent, once as another's."""
    violations: list[str] = []

    async def on_error(error: Exception) -> None:
        violations.append(str(error))

    client = await nats.connect(url, error_cb=on_error)
    try:
        event = build_event().SerializeToString()
        await client.jetstream().publish("swarm.events.coder.decision.coder-1", event)
        await client.publish("swarm.events.coder.decision.coder-2", event)
        await client.flush()
        await client.flush()
        assert len(violations) == 1
    finally:
        await client.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with 160 MiB, which takes root to mount."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", str(place)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small file system takes root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.timeout(120)
def test_full_disk_is_said_and_the_bus_recovers_when_there_is_room(small_disk: Path) -> None:
    """No acknowledged event is lost, and nobody has to restart anything."""
    with running_stack(small_disk / "home") as stack:
        url = stack.record["publisher_nats_url"]
        publish(url, 10)
        assert count_events(stack) == 10
        ballast = small_disk / "ballast"
        fill(ballast)
        with pytest.raises(nats.errors.Error):
            publish(url, 10_000, timeout=1)
        trouble = eventually_blocking(lambda: stack.json("status", expected=None)["trouble"])
        assert "is full" in trouble
        assert stack.swarm("status", expected=3).stderr.count("is full") == 1
        ballast.unlink()
        status = stack.wait_ready()
        assert status["trouble"] == ""
        publish(url, 10)
        assert count_events(stack) >= 20
        assert stack.json("verify")["ok"]


def fill(path: Path) -> None:
    """Write until there is no room."""
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 20))
