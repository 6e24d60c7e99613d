"""What the how-tos tell people to type is accepted, and does what they say.

Not run: the lines for containers, for which there is no engine here.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cortex.cli.app import load_command
from cortex.cli.session import Session
from tests.support.stacks import Stack, running_stack

HOWTO = Path(__file__).resolve().parents[2] / "docs/howto"
LINES = [
    line.strip()
    for page in sorted(HOWTO.glob("*.md"))
    for line in page.read_text(encoding="utf-8").splitlines()
    if line.startswith("    swarm ")
]


def test_there_are_command_lines_to_check() -> None:
    assert len(LINES) >= 4


@pytest.mark.parametrize("line", LINES)
def test_command_line_is_accepted(line: str, tmp_path: Path) -> None:
    """Parsed only, not run."""
    name, *arguments = shlex.split(line, comments=True)[1:]
    session = Session(environment={}, directory=tmp_path)
    load_command(name).make_context(name, arguments, obj=session).close()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose home is where people have theirs, with one event."""
    with running_stack(tmp_path_factory.mktemp("project") / ".swarm") as running:
        running.swarm("publish", stdin='{"systemSignal": {"status": "HEALTHY"}}')
        yield running


def typed(command: list[str], stack: Stack) -> str:
    """Return what a command answers in the directory of the stack's home."""
    path = str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"]
    done = subprocess.run(
        command,
        cwd=stack.root.parent,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def blocks(page: str, language: str = "python") -> list[str]:
    text = (HOWTO / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def program(page: str) -> list[str]:
    return [sys.executable, "-c", blocks(page)[0]]


def indented(page: str) -> list[str]:
    """Return the commands of a page, without what is written behind them."""
    text = (HOWTO / page).read_text(encoding="utf-8")
    lines = re.sub(r"```.*?```", "", text, flags=re.DOTALL).splitlines()
    return [line.partition("  #")[0].strip() for line in lines if line.startswith("    ")]


def test_publisher_without_the_sdk_publishes_an_event(stack: Stack) -> None:
    typed(program("plain-publisher.md"), stack)
    [event] = stack.json("events", "--agent", "legacy-7")
    assert event["rationale"] == "the old pipeline decided this"


def test_history_answers_curl_and_its_own_client(stack: Stack) -> None:
    url, curl, panel = indented("grafana.md")
    assert int(typed(["bash", "-c", f"{url}\n{curl}"], stack)) >= 1
    assert "('system_signal', " in typed(program("grafana.md"), stack)
    assert "system_signal" in stack.swarm("sql", panel).stdout


@pytest.mark.timeout(120)
def test_history_is_moved_and_kept(stack: Stack, tmp_path: Path) -> None:
    export, import_, backup, prune = indented("archive.md")
    typed(["bash", "-c", export], stack)
    with running_stack(tmp_path / "other") as other:
        typed(["bash", "-c", f"{import_} --home {other.root}"], stack)
        # Other tests may have put more into the stack that is exported.
        assert "HEALTHY" in {event.get("status") for event in other.json("events")}
    typed(["bash", "-c", backup.replace("/mnt/backups", str(tmp_path))], stack)
    assert (tmp_path / "monday" / "backup.json").exists()
    typed(["bash", "-c", prune], stack)


@pytest.mark.timeout(120)
def test_agent_of_one_s_own_does_its_tasks(stack: Stack) -> None:
    """It is a class with one method, and what it raises is a task that failed."""
    folder = stack.root.parent
    agent, asking = blocks("agent.md")
    (folder / "counter.py").write_text(agent, encoding="utf-8")
    orchestrate, worker, question = indented("agent.md")
    services = [started(line, folder) for line in (orchestrate, worker)]
    try:
        printed = typed([sys.executable, "-c", asking], stack)
    finally:
        for service in services:
            service.terminate()
            service.wait()
    assert printed == blocks("agent.md", "text")[0]
    stack.sql("select 1")  # until history has it
    said = typed(["bash", "-c", question], stack)
    for part in ("count the words of counter.py", "read_text", "CRITICAL_FAILURE"):
        assert part in said


def started(line: str, folder: Path) -> "subprocess.Popen[bytes]":
    path = str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"]
    return subprocess.Popen(
        ["bash", "-c", f"exec env {line}"],
        cwd=folder,
        env={**os.environ, "PATH": path},
        stderr=subprocess.DEVNULL,
    )
