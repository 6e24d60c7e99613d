"""Agents in shells of their own share a project: the commands, as processes, on a real bus."""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.eventually import eventually_blocking
from tests.support.servers import NatsServer
from tests.support.sharing import declare
from tests.support.stacks import SWARM, Stack

SECONDS = 60


@dataclass
class Shell:
    """Commands of several agents in one directory."""

    directory: Path
    url: str
    children: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, agent: str, *arguments: str) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [SWARM, *arguments],
            env=self.environment(agent),
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.children.append(child)
        return child

    def run(
        self, agent: str, *arguments: str, expected: int | None = 0
    ) -> subprocess.CompletedProcess[str]:
        child = self.start(agent, *arguments)
        out, err = child.communicate(timeout=SECONDS)
        assert expected is None or child.returncode == expected, (arguments, out, err)
        assert "Traceback" not in err
        return subprocess.CompletedProcess(arguments, child.returncode, out, err)

    def json(self, agent: str, *arguments: str, expected: int | None = 0) -> Any:
        return json.loads(self.run(agent, *arguments, "--json", expected=expected).stdout)

    def environment(self, agent: str) -> dict[str, str]:
        return {
            **os.environ,
            "SWARM_NATS_URL": self.url,
            "SWARM_HOME": str(self.directory / ".swarm"),
            "SWARM_AGENT": agent,
        }

    def state(self, step: str) -> str:
        return str(self.json("observer", "step-status", step)["state"])

    def holder(self, step: str) -> str:
        return str(self.json("observer", "step-status", step)["holder"])


@pytest.fixture
async def shell(nats_server: NatsServer, tmp_path: Path) -> Any:
    await declare(nats_server.url)
    directory = tmp_path / "web"
    directory.mkdir()
    with _ended(Shell(directory, nats_server.url)) as shell:
        yield shell


@contextlib.contextmanager
def _ended(shell: Shell) -> Iterator[Shell]:
    try:
        yield shell
    finally:
        for child in shell.children:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGCONT)
            child.kill()
            child.communicate()


@pytest.mark.timeout(120)
def test_of_many_processes_one_wins_each_step(shell: Shell) -> None:
    """Exit code 0 for one, 1 for all others, who read its name."""
    for step in ("one", "two", "three"):
        children = [shell.start(f"a{number}", "claim", step, "--json") for number in range(10)]
        ended = [(*child.communicate(timeout=SECONDS), child.returncode) for child in children]
        winners = [json.loads(out) for out, _, code in ended if code == 0]
        assert len(winners) == 1
        assert sorted(code for *_, code in ended) == [0] + [1] * 9
        assert {json.loads(out)["holder"] for out, _, _ in ended} == {winners[0]["holder"]}
        assert {json.loads(out)["won"] for out, _, code in ended if code} == {False}


def test_a_stopped_process_loses_its_lease_and_its_command(shell: Shell) -> None:
    """SIGSTOP: somebody else takes the step; woken up, the first one ends its command, with 1."""
    holder = shell.start("a", "claim", "s", "--lease", "1", "--", "sleep", "60")
    eventually_blocking(lambda: shell.holder("s") == "a")
    holder.send_signal(signal.SIGSTOP)
    eventually_blocking(lambda: shell.run("b", "claim", "s", expected=None).returncode == 0)
    holder.send_signal(signal.SIGCONT)
    _, err = holder.communicate(timeout=SECONDS)
    assert holder.returncode == 1
    assert "held by b" in err
    assert shell.holder("s") == "b"
    assert "held by b" in shell.run("a", "complete", "s", expected=1).stderr


def test_a_claim_is_kept_while_its_command_runs(shell: Shell) -> None:
    """Several leases long; what the command is told of its claim is enough to complete it."""
    script = f"sleep 2.5; {SWARM} complete s --note done"
    child = shell.start("a", "claim", "s", "--lease", "0.8", "--", "sh", "-c", script)
    eventually_blocking(lambda: shell.holder("s") == "a")
    while child.poll() is None:
        assert shell.run("b", "claim", "s", expected=1).stderr.startswith("swarm: step s is ")
    assert child.returncode == 0, child.communicate()
    assert shell.json("b", "step-status", "s")["handoff"]["note"] == "done"


@pytest.mark.parametrize(
    ("script", "code", "state"),
    [("exit 7", 7, "pending"), ("exit 0", 0, "in_progress"), ("kill -9 $$", 137, "pending")],
)
def test_the_commands_exit_code_is_ours(shell: Shell, script: str, code: int, state: str) -> None:
    shell.run("a", "claim", "s", "--", "sh", "-c", script, expected=code)
    assert shell.state("s") == state


def test_a_command_that_succeeds_completes_its_step_if_asked(shell: Shell) -> None:
    shell.run("a", "claim", "s", "--complete", "--", "true")
    assert shell.state("s") == "complete"


def test_a_command_that_does_not_exist_claims_nothing_for_long(shell: Shell) -> None:
    done = shell.run("a", "claim", "s", "--", "no-such-command", expected=127)
    assert done.stderr.startswith("swarm: no-such-command: ")
    assert shell.state("s") == "pending"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_goes_to_the_command_and_frees_the_step(
    shell: Shell, number: signal.Signals
) -> None:
    child = shell.start("a", "claim", "s", "--", "sleep", "60")
    eventually_blocking(lambda: shell.holder("s") == "a")
    eventually_blocking(lambda: _children_of(child.pid))
    child.send_signal(number)
    child.communicate(timeout=SECONDS)
    assert child.returncode == 128 + number
    assert shell.state("s") == "pending"


def test_what_is_killed_between_claim_and_complete_is_free_after_its_lease(shell: Shell) -> None:
    child = shell.start("a", "claim", "s", "--lease", "1", "--", "sleep", "60")
    eventually_blocking(lambda: _children_of(child.pid))
    (command,) = _children_of(child.pid)
    child.kill()
    os.kill(command, signal.SIGKILL)
    eventually_blocking(lambda: shell.run("b", "claim", "s", expected=None).returncode == 0)
    assert shell.run("b", "complete", "s").stdout.startswith("s  complete  by b")


def test_any_command_of_an_agent_prolongs_its_claims(shell: Shell) -> None:
    first = shell.json("a", "claim", "s", "--lease", "20")["expires_at"]
    eventually_blocking(lambda: _renewed(shell, first))


def test_the_bus_may_restart_in_the_middle(shell: Shell, nats_server: NatsServer) -> None:
    waiting = shell.start("b", "wait-for", "s", "--timeout", "50")
    holding = shell.start("a", "claim", "s", "--complete", "--", "sh", "-c", "read x; exit 0")
    holding.kill()
    holding.communicate()
    child = shell.start("a", "claim", "t", "--lease", "2", "--complete", "--", "sleep", "3")
    eventually_blocking(lambda: shell.holder("t") == "a")
    nats_server.kill()
    nats_server.start()
    child.communicate(timeout=SECONDS)
    assert (child.returncode, shell.state("t")) == (0, "complete")
    shell.run("c", "complete", "s", "--force")
    out, _ = waiting.communicate(timeout=SECONDS)
    assert (waiting.returncode, out.split()[:2]) == (0, ["s", "complete"])


def test_a_wait_in_vain_ends_with_1_and_one_line(shell: Shell) -> None:
    done = shell.run("a", "wait-for", "never", "--timeout", "0.2", expected=1)
    assert done.stderr == "swarm: not complete within 0.2 s: never\n"
    shell.run("a", "complete", "never", "--blocked", "--force", "--note", "no key")
    done = shell.run("a", "wait-for", "never", "--timeout", "50", expected=1)
    assert done.stderr.startswith("swarm: blocked: never")


def test_two_readers_of_one_agent_share_its_messages(shell: Shell) -> None:
    """Many quick messages from several processes: each is shown once, none is lost."""
    shell.run("b", "inbox")
    senders = [shell.start(f"s{number}", "send", "b", f"m{number}") for number in range(8)]
    assert [child.wait(timeout=SECONDS) for child in senders] == [0] * 8
    readers = [shell.start("b", "inbox", "--new", "--json") for _ in range(4)]
    seen = [
        one["text"]
        for child in readers
        for one in json.loads(child.communicate(timeout=SECONDS)[0])
    ]
    assert sorted(seen) == [f"m{number}" for number in range(8)]


def test_deleting_a_broadcast_leaves_it_to_the_others(shell: Shell) -> None:
    shell.run("a", "send", "_broadcast", "all of you")
    assert "all of you" in shell.run("b", "inbox", "--delete").stdout
    assert shell.json("b", "inbox") == []
    assert [one["text"] for one in shell.json("c", "inbox")] == ["all of you"]


def test_values_go_by_condition_between_processes(shell: Shell) -> None:
    revision = shell.json("a", "memory", "set", "api.port", "8080", "--type", "json")["revision"]
    assert shell.json("b", "memory", "get", "api.port")["value"] == 8080
    shell.run("b", "memory", "set", "api.port", "1", "--if-revision", str(revision))
    done = shell.run("a", "memory", "set", "api.port", "2", "--if-revision", "1", expected=1)
    assert "set by b" in done.stderr
    assert shell.run("c", "memory", "get", "api.port").stdout == "1\n"
    assert shell.run("c", "memory", "get", "api.host", expected=1).stdout == ""


HOSTILE = ["a/b", "_x", "", "a\nb", "\x1b[31mred", "x" * 3_000, " "]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_refused_in_one_line(shell: Shell, name: str) -> None:
    done = shell.run("a", "claim", "--", name, expected=1)
    assert done.stderr.count("\n") == 1
    assert done.stderr.isprintable() or done.stderr[:-1].isprintable()


@pytest.mark.parametrize("name", ["*", ">", "a b", "$JS.API.>", "%", "é漢🐝", "-x", "a'; drop"])
def test_a_strange_name_is_a_name(shell: Shell, name: str) -> None:
    shell.run("a", "claim", "--", name)
    assert len(shell.json("b", "steps")) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["claim", "s", "--lease", "0"],
        ["complete", "s", "--blocked", "--needs-review"],
        ["steps", "--state", "done"],
        ["memory", "set", "k", "v", "--type", "yaml"],
        ["wait-for"],
        ["claim", "s", "--lease", "soon"],
    ],
)
def test_wrong_usage_ends_with_2(shell: Shell, arguments: list[str]) -> None:
    assert shell.run("a", *arguments, expected=2).stderr


def test_without_a_bus_a_command_says_so(shell: Shell, nats_server: NatsServer) -> None:
    nats_server.stop()
    done = shell.run("a", "claim", "s", expected=3)
    assert done.stderr.count("\n") == 1


def test_a_reader_that_goes_away_is_no_failure(shell: Shell) -> None:
    shell.run("a", "claim", "s")
    command = f"{SWARM} steps --json | head -c 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env=shell.environment("a"),
        cwd=shell.directory,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("[", "")


@pytest.mark.timeout(180)
def test_a_whole_stack_shows_all_of_it_in_sql(stack: Stack, tmp_path: Path) -> None:
    """Who claimed, told and stored what; artifacts also once they have moved into history."""
    work = Stack(stack.root, {**stack.environment, "SWARM_AGENT": "alice"})
    other = Stack(stack.root, {**stack.environment, "SWARM_AGENT": "bob"})
    work.swarm("init", "--project", "web")
    other.swarm("inbox")
    work.swarm("claim", "Build.One")
    work.swarm("complete", "build-one", "--note", "see dist", "--to", "bob")
    work.swarm("send", "bob", "done", "--step", "build-one")
    other.swarm("inbox", "--new")
    other.swarm("memory", "set", "api.port", "8080")
    source = tmp_path / "dist.bin"
    source.write_bytes(os.urandom(9_000_000))
    work.swarm("artifact", "upload", str(source), "--step", "build-one")
    (step,) = stack.sql("select * from swarm.steps")
    assert [step["project"], step["step_id"], step["step_state"], step["completed_by"]] == [
        *("web", "build-one", "complete", "alice")
    ]
    assert (step["next_agent"], step["note"]) == ("bob", "see dist")
    (message,) = stack.sql("select * from swarm.messages")
    assert (message["agent_id"], message["message_text"]) == ("alice", "done")
    assert message["read_by"] == ["bob"]
    (value,) = stack.sql("select * from swarm.memory")
    assert (value["memory_key"], value["memory_value"], value["changed_by"]) == (
        *("api.port", "8080", "bob"),
    )
    (caused,) = stack.sql("select caused_by from swarm.events where kind = 'memory_change'")
    assert caused["caused_by"] == [message["event_id"]]
    (artifact,) = stack.sql("select * from swarm.artifacts")
    assert (artifact["artifact_name"], artifact["is_newest"]) == ("dist.bin", 1)
    eventually_blocking(lambda: stack.sql("select count() as n from swarm.blobs")[0]["n"] >= 9)
    target = tmp_path / "out.bin"
    other.swarm("artifact", "download", "dist.bin", "--output", str(target))
    assert target.read_bytes() == source.read_bytes()
    assert stack.json("verify")["ok"]


def _renewed(shell: Shell, first: str) -> bool:
    shell.run("a", "memory", "list")
    found = shell.json("observer", "step-status", "s")["expires_at"]
    return bool(found > first)


def _children_of(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(one) for one in listed.read_text().split()] if listed.exists() else []
