"""Hooks as a harness runs them: the installed command as a process, a real stack behind it."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infrastructure.intake.hooks.pending import PendingFiles
from tests.support.eventually import eventually_blocking
from tests.support.stacks import Stack

DATA = Path(__file__).parents[1] / "data" / "hooks"
POLICY = r"""
default: ask
rules:
  - {tool: Bash, arguments: {command: 're:\brm\s+-rf\b'}, action: deny, reason: not that way}
  - {tool: [Read, Edit], paths: ["src/**"], action: allow}
"""
SECRET = "gh" + "p_" + "a1B2c3D4e5F6" * 3


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = Stack(tmp_path_factory.mktemp("hooks") / ".swarm")
    try:
        running.up()
        yield running
    finally:
        running.swarm("down", expected=None)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    return tmp_path


class Agent:
    """Runs the hooks that are in the settings of a project, as a harness does."""

    def __init__(self, stack: Stack, project: Path, harness: str, *options: str) -> None:
        name = ".claude/settings.json" if harness == "claude-code" else ".codex/hooks.json"
        self.settings = project / name
        self.installed = stack.swarm(
            "hooks", "install", harness, "--settings", str(self.settings), "--yes", *options
        )
        self.project = project

    def command(self, event: str) -> str:
        value = json.loads(self.settings.read_text(encoding="utf-8"))
        return str(value["hooks"][event][0]["hooks"][0]["command"])

    def call(self, payload: dict[str, Any] | bytes, event: str = "") -> Any:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        named = event or json.loads(body)["hook_event_name"]
        return subprocess.run(
            ["sh", "-c", self.command(named)],
            input=body,
            capture_output=True,
            timeout=30,
            check=False,
            cwd=self.project,
        )

    def use(self, session: str, tool: str, arguments: Any, call: str = "t1") -> Any:
        return self.call(
            {
                "session_id": session,
                "hook_event_name": "PreToolUse",
                "tool_name": tool,
                "tool_input": arguments,
                "tool_use_id": call,
                "cwd": str(self.project),
            }
        )


def decision(done: Any) -> str | None:
    assert done.returncode == 0, done.stderr
    if not done.stdout:
        return None
    return str(json.loads(done.stdout)["hookSpecificOutput"]["permissionDecision"])


def rows(stack: Stack, session: str, what: str = "kind") -> list[Any]:
    """What history holds of a session, once nothing waits in the home: machines may be busy."""
    eventually_blocking(lambda: PendingFiles(stack.home).is_empty)
    sql = f"select {what} from swarm.events where run_id = '{session}' order by stream_seq"
    return list(json.loads(stack.swarm("sql", sql, "--format", "json").stdout))


@pytest.mark.parametrize(
    ("name", "harness", "lines"),
    [("claude_spotter_subagent_hooks", "claude-code", 38), ("codex0169_hooks", "codex", 34)],
)
def test_a_recorded_session_is_in_history_line_by_line(
    stack: Stack, project: Path, name: str, harness: str, lines: int
) -> None:
    """Each payload is a row, byte for byte, in the order in which the harness sent it."""
    agent = Agent(stack, project, harness)
    payloads = (DATA / f"{name}.jsonl").read_bytes().splitlines()
    session = json.loads(payloads[0])["session_id"]
    sent = [one for one in payloads if json.loads(one)["session_id"] == session]
    for payload in sent:
        done = agent.call(payload)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    kept = [
        row["line_bytes"] for row in rows(stack, session, "kind, line_bytes") if row["line_bytes"]
    ]
    assert [one.encode() for one in kept] == sent
    assert len(sent) == lines


def test_a_secret_is_taken_out_before_it_is_published(stack: Stack, project: Path) -> None:
    agent = Agent(stack, project, "claude-code")
    agent.use("secret-session", "Bash", {"command": f"export X={SECRET}"})
    found = rows(stack, "secret-session", "line_bytes, tool_arguments, redactions, line_digest")
    assert SECRET not in json.dumps(found)
    assert found[0]["redactions"] == {"github_token": 1}
    assert found[0]["line_digest"].startswith("hmac:")


def test_the_gate_denies_allows_and_asks_and_says_so_before_the_tool_runs(
    stack: Stack, project: Path
) -> None:
    agent = Agent(stack, project, "claude-code", "--gate", str(project / "policy.yaml"))
    assert decision(agent.use("gated", "Bash", {"command": "rm -rf x"}, "t1")) == "deny"
    assert decision(agent.use("gated", "Read", {"file_path": "src/a"}, "t2")) == "allow"
    assert decision(agent.use("gated", "Read", {"file_path": "src/../b"}, "t3")) == "ask"
    marks = rows(stack, "gated", "mark_type, mark_text, attributes['gate'] as gate")
    assert [row["gate"] for row in marks if row["mark_type"] == "gate"] == ["deny", "allow", "ask"]
    assert "not that way" in {row["mark_text"] for row in marks}


def test_codex_is_denied_what_it_cannot_ask_about(stack: Stack, project: Path) -> None:
    agent = Agent(stack, project, "codex", "--gate", str(project / "policy.yaml"))
    assert decision(agent.use("gated-codex", "Bash", {"command": "ls"})) == "deny"
    assert decision(agent.use("gated-codex", "Read", {"path": "src/a"})) is None


def test_a_gate_fails_closed_when_its_policy_breaks(stack: Stack, project: Path) -> None:
    """A policy is read as it is now: what is broken after the installation denies."""
    agent = Agent(stack, project, "claude-code", "--gate", str(project / "policy.yaml"))
    (project / "policy.yaml").write_text("rules: [{action: perhaps}]", encoding="utf-8")
    done = agent.use("broken", "Read", {"file_path": "src/a"})
    assert decision(done) == "deny"
    assert b"policy.yaml:1" in done.stdout
    (project / "policy.yaml").unlink()
    assert decision(agent.use("broken", "Read", {"file_path": "src/a"})) == "deny"


def test_a_policy_that_was_not_installed_denies(stack: Stack, project: Path) -> None:
    """Two projects of one home are judged by their own policies, and by no others."""
    agent = Agent(stack, project, "claude-code", "--gate", str(project / "policy.yaml"))
    text = agent.settings.read_text(encoding="utf-8")
    agent.settings.write_text(text.replace("policy.yaml", "other.yaml"), encoding="utf-8")
    (project / "other.yaml").write_text("default: allow\nrules: []", encoding="utf-8")
    done = agent.use("other", "Read", {"file_path": "src/a"})
    assert decision(done) == "deny"
    assert b"not installed" in done.stdout


def test_a_broken_policy_is_not_installed(stack: Stack, project: Path) -> None:
    (project / "policy.yaml").write_text("rules:\n- tool: x\n", encoding="utf-8")
    done = stack.swarm(
        *("hooks", "install", "codex", "--settings", str(project / "h.json"), "--yes"),
        *("--gate", str(project / "policy.yaml")),
        expected=1,
    )
    assert "policy.yaml:2: a rule has an `action`" in done.stderr
    assert not (project / "h.json").exists()


def test_hooks_go_on_without_a_stack_and_what_they_said_comes_later(tmp_path: Path) -> None:
    """Without a gate the agent notices nothing; with one no tool runs, and that is on record."""
    stack = Stack(tmp_path / ".swarm")
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    try:
        stack.up()
        plain = Agent(stack, tmp_path / "plain", "claude-code")
        plain.project.mkdir(exist_ok=True)
        gated = Agent(stack, tmp_path, "codex", "--gate", str(tmp_path / "policy.yaml"))
        stack.down()
        for number in range(3):
            done = plain.use("later", "Bash", {"command": "ls"}, f"t{number}")
            assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        denied = gated.use("denied", "Bash", {"command": "ls"})
        assert denied.returncode == 2
        assert b"no decision" in denied.stderr
        stack.up()
        eventually_blocking(lambda: len(rows(stack, "denied")) == 3)
        calls = rows(stack, "later", "tool_call_id, kind")
        found = [row["tool_call_id"] for row in calls if row["kind"] == "tool_call"]
        assert found == ["t0", "t1", "t2"]
        assert rows(stack, "denied", "attributes['gate'] as gate")[-1]["gate"] == "deny"
        assert stack.json("hooks", "status")["waiting_bytes"] == 0
    finally:
        stack.swarm("down", expected=None)


def test_hooks_are_shown_first_and_undone_to_the_letter(stack: Stack, project: Path) -> None:
    theirs = '{"model":   "x", "hooks": {"Stop": []}}'
    settings = project / "settings.json"
    settings.write_text(theirs, encoding="utf-8")
    settings.chmod(0o640)
    words = ("claude-code", "--settings", str(settings))
    shown = stack.swarm("hooks", "install", *words, expected=1)
    assert "+" in shown.stdout
    assert "pass --yes" in shown.stderr
    assert settings.read_text(encoding="utf-8") == theirs
    stack.swarm("hooks", "install", *words, "--yes")
    assert settings.stat().st_mode & 0o777 == 0o640
    stack.swarm("hooks", "uninstall", *words, "--yes")
    assert settings.read_text(encoding="utf-8") == theirs
    again = stack.swarm("hooks", "uninstall", *words, "--yes", expected=1)
    assert "no hooks of ours" in again.stderr


def test_hooks_installed_twice_with_a_change_between_are_gone_at_once(
    stack: Stack, project: Path
) -> None:
    settings = project / "settings.json"
    words = ("claude-code", "--settings", str(settings), "--yes")
    stack.swarm("hooks", "install", *words)
    value = json.loads(settings.read_text(encoding="utf-8"))
    settings.write_text(json.dumps({"model": "x", **value}), encoding="utf-8")
    stack.swarm("hooks", "install", *words)
    stack.swarm("hooks", "uninstall", *words)
    assert json.loads(settings.read_text(encoding="utf-8")) == {"model": "x"}


def test_settings_made_for_the_hooks_are_gone_with_them(stack: Stack, project: Path) -> None:
    agent = Agent(stack, project, "codex")
    assert "/hooks" in agent.installed.stderr  # codex wants to be asked whether it trusts them
    words = ("codex", "--settings", str(agent.settings), "--yes")
    stack.swarm("hooks", "uninstall", *words)
    assert not agent.settings.exists()


def test_the_gate_can_be_tried_without_an_agent(stack: Stack, project: Path) -> None:
    policy = str(project / "policy.yaml")
    arguments = json.dumps({"command": "rm -rf /"})
    found = stack.json("gate", "test", policy, "--tool", "Bash", "--input", arguments)
    assert (found["action"], found["rule"], found["line"]) == ("deny", 1, 4)
    payload = {"tool_name": "Bash", "tool_input": {"command": "ls"}, "session_id": "s"}
    said = stack.swarm("gate", "test", policy, stdin=json.dumps(payload)).stdout
    assert said.startswith("ask: no rule")
    assert "2 rules" in stack.swarm("gate", "check", policy).stdout
