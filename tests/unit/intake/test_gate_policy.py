import json
import os
from pathlib import Path
from typing import Any

import pytest

from infrastructure.intake.gate.answers import answer
from infrastructure.intake.gate.files import named_files, places_of
from infrastructure.intake.gate.policy import PolicyError, load_policy, parse_policy
from infrastructure.intake.gate.rules import Use, Verdict, decide

POLICY = r"""
default: ask
reason: nobody has thought of it
rules:
  - tool: Bash
    arguments: {command: 're:\brm\s+-rf\b'}
    action: deny
    reason: nothing is removed that way
  - {tool: [Edit, Write], paths: ["src/**"], action: allow}
  - {tool: "mcp__*", agents: ["reviewer"], action: deny}
  - {arguments: "*secret-project*", action: ask, reason: say why}
"""


def use(tool: str, arguments: Any = None, agents: tuple[str, ...] = (), cwd: str = "/w") -> Use:
    files = tuple(places_of(name, cwd) for name in named_files(arguments))
    return Use(tool=tool, arguments=arguments, agents=agents, files=files)


@pytest.mark.parametrize(
    ("asked", "action", "rule"),
    [
        (use("Bash", {"command": "cd / && rm -rf tmp"}), "deny", 1),
        (use("Bash", {"command": "ls"}), "ask", 0),
        (use("Edit", {"file_path": "/w/src/a/b.py"}), "allow", 2),
        (use("Edit", {"file_path": "src/a.py"}), "allow", 2),
        (use("Edit", {"file_path": "src/../secrets"}), "ask", 0),
        (use("Edit", {"file_path": "/w/other/a.py"}), "ask", 0),
        (use("mcp__db__query", {}, ("claude-code/x/y", "reviewer")), "deny", 3),
        (use("mcp__db__query", {}, ("claude-code/x",)), "ask", 0),
        (use("Task", {"deep": [{"text": "the secret-project"}]}), "ask", 4),
        (use("Bash", ["rm", "-rf", "x"]), "ask", 0),
    ],
)
def test_the_first_rule_that_fits_decides(asked: Use, action: str, rule: int) -> None:
    verdict = decide(parse_policy(POLICY), asked)
    assert (verdict.action, verdict.rule) == (action, rule)


def test_a_command_as_a_list_is_looked_at_as_it_would_be_typed() -> None:
    asked = use("shell", {"command": ["rm", "-rf", "x"]})
    policy = parse_policy("rules: [{arguments: {command: 'rm -rf *'}, action: deny}]")
    assert decide(policy, asked).action == "deny"


def test_a_link_out_of_what_is_allowed_is_not_allowed(tmp_path: Path) -> None:
    work, outside = tmp_path / "work", tmp_path / "outside"
    (work / "src").mkdir(parents=True)
    outside.mkdir()
    os.symlink(outside, work / "src" / "link")
    policy = parse_policy("default: deny\nrules: [{paths: ['src/**'], action: allow}]")
    inside = use("Edit", {"file_path": "src/a"}, cwd=str(work))
    through = use("Edit", {"file_path": "src/link/a"}, cwd=str(work))
    assert decide(policy, inside).action == "allow"
    assert decide(policy, through).action == "deny"


def test_a_link_into_what_is_forbidden_is_forbidden(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    os.symlink(tmp_path / "keys", tmp_path / "harmless")
    policy = parse_policy(
        f"default: allow\nrules: [{{paths: ['{tmp_path}/keys/**'], action: deny}}]"
    )
    asked = use("Read", {"file_path": "harmless/id"}, cwd=str(tmp_path))
    assert decide(policy, asked).action == "deny"


def test_every_file_of_a_patch_has_to_be_allowed() -> None:
    policy = parse_policy("default: deny\nrules: [{paths: ['src/**'], action: allow}]")
    one = "*** Begin Patch\n*** Update File: src/a\n@@\n*** End Patch"
    two = one.replace("*** End", "*** Delete File: other\n*** End")
    assert decide(policy, use("apply_patch", {"command": one})).action == "allow"
    assert decide(policy, use("apply_patch", {"command": two})).action == "deny"


def test_home_is_written_as_a_tilde() -> None:
    policy = parse_policy("default: allow\nrules: [{paths: ['~/.ssh/**'], action: deny}]")
    path = str(Path.home() / ".ssh" / "id_rsa")
    assert decide(policy, use("Read", {"file_path": path})).action == "deny"
    assert decide(policy, use("Read", {"file_path": "~/.ssh/id_rsa"})).action == "deny"


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 0, "is empty"),
        ("rules: [", 1, "expected"),
        ("- a", 1, "a policy is a mapping"),
        ("default: ask", 1, "a policy has `rules`"),
        ("rules: {}", 1, "`rules` is a list"),
        ("rules:\n- tool: Bash", 2, "a rule has an `action`"),
        ("rules:\n- action: maybe", 2, "none of allow, deny, ask"),
        ("rules:\n- action: deny\n  tools: Bash", 3, "has no 'tools'"),
        ("rules:\n- action: deny\n\n  tool: 're:('", 4, "no regular expression"),
        ("rules:\n- action: deny\n  tool: []", 3, "empty list"),
        ("rules:\n- action: deny\n  tool: ''", 3, "not empty"),
        ("rules: []\nrules: []", 2, "twice"),
        ("rules: []\ndefault: perhaps", 2, "none of"),
        ("version: 2\nrules: []", 1, "version 1"),
        ("rules:\n- action: deny\n  arguments: {a: {b: c}}", 3, "a text is expected"),
    ],
)
def test_an_error_names_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(PolicyError, match=reason) as caught:
        parse_policy(text, "p.yaml")
    assert caught.value.line == line


def test_a_policy_that_cannot_be_read_says_which(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"nowhere\.yaml: cannot be read"):
        load_policy(tmp_path / "nowhere.yaml")


DENIED = Verdict(action="deny", reason="no", rule=1)
ASKED = Verdict(action="ask", reason="why", rule=1)
ALLOWED = Verdict(action="allow", reason="ok", rule=1)
BY_DEFAULT = Verdict(action="allow", reason="ok", rule=0)


@pytest.mark.parametrize(
    ("harness", "verdict", "said"),
    [
        ("claude-code", DENIED, "deny"),
        ("claude-code", ASKED, "ask"),
        ("claude-code", ALLOWED, "allow"),
        ("claude-code", BY_DEFAULT, None),  # the harness's own rules go on
        ("codex", DENIED, "deny"),
        ("codex", ASKED, "deny"),  # it would go on, had it to ask
        ("codex", ALLOWED, None),  # it takes the word for an error, and goes on
    ],
)
def test_a_harness_is_told_in_words_that_it_heeds(
    harness: str, verdict: Verdict, said: str | None
) -> None:
    body = answer(harness, verdict)
    decided = json.loads(body)["hookSpecificOutput"]["permissionDecision"] if body else None
    assert decided == said
