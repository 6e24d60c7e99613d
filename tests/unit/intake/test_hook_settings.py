import json

import pytest

from infrastructure.intake.gate.answers import CLAUDE_CODE, CODEX
from infrastructure.intake.hooks.settings import (
    EVENTS,
    Handler,
    SettingsError,
    hooks_of,
    with_hooks,
    without_hooks,
)

SCRIPT = "/lib/infrastructure/intake/hooks/command.py"
THEIRS = """{
    "model": "x",   "permissions": {"allow": ["Bash(ls)"]},
    "hooks": {
        "PreToolUse": [ {"matcher": "Bash", "hooks": [ {"type":"command","command":"mine"} ] } ]
    },
    "last": [1,2,  3]
}
"""


def handler(harness: str = CLAUDE_CODE, *, policy: str = "", url: str = "") -> Handler:
    home = "/a b/.swarm"
    return Handler(harness=harness, python="/py", script=SCRIPT, home=home, policy=policy, url=url)


@pytest.mark.parametrize("harness", [CLAUDE_CODE, CODEX])
def test_every_event_gets_one_hook(harness: str) -> None:
    text = with_hooks("", handler(harness), "p")
    found = hooks_of(text, "p")
    assert [event for event, _ in found] == list(EVENTS[harness])
    assert {command for _, command in found} == {f"/py -I -S {SCRIPT} {harness} '/a b/.swarm'"}


def test_only_the_hook_before_a_tool_asks_the_gate_and_fails_closed() -> None:
    found = dict(hooks_of(with_hooks("", handler(policy="/p q.yaml"), "p"), "p"))
    assert found.pop("PreToolUse").endswith("gate '/p q.yaml' || exit 2")
    assert not [command for command in found.values() if "gate" in command]


def test_a_harness_that_posts_still_runs_the_command_for_the_gate() -> None:
    found = dict(hooks_of(with_hooks("", handler(policy="/p q.yaml", url="http://h:1"), "p"), "p"))
    assert found.pop("PreToolUse").endswith("exit 2")
    assert set(found.values()) == {"http://h:1/v1/hooks/claude-code"}


@pytest.mark.parametrize("text", [THEIRS, "{}", '{"a":1}', '{\n\t"a": 1\n}', '{"hooks":{"X":[]}}'])
def test_taking_hooks_out_gives_back_the_text_to_the_letter(text: str) -> None:
    changed = with_hooks(text, handler(), "p")
    assert without_hooks(changed, "p") == text
    assert with_hooks(changed, handler(), "p") == changed


def test_what_others_have_set_stays_where_it_is() -> None:
    changed = with_hooks(THEIRS, handler(), "p")
    assert '"model": "x",   "permissions": {"allow": ["Bash(ls)"]},' in changed
    assert '"last": [1,2,  3]' in changed
    value = json.loads(changed)
    assert value["hooks"]["PreToolUse"][0]["hooks"] == [{"type": "command", "command": "mine"}]


def test_hooks_that_somebody_has_moved_are_found() -> None:
    value = json.loads(with_hooks(THEIRS, handler(), "p"))
    ours = value["hooks"].pop("SessionStart")[0]["hooks"][0]
    value["hooks"]["PreToolUse"][0]["hooks"].append(ours)
    text = json.dumps(value)
    assert len(hooks_of(text, "p")) == len(EVENTS[CLAUDE_CODE])
    assert hooks_of(without_hooks(text, "p"), "p") == []
    assert "mine" in without_hooks(text, "p")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "no JSON"),
        ("[]", "no JSON object"),
        ('{"hooks": []}', "no object"),
        ('{"hooks": {"Stop": 1}}', "no list"),
        ('{"hooks": {}, "hooks": {}}', "twice"),
        ("// comment\n{}", "no JSON"),
    ],
)
def test_settings_that_nobody_understands_are_refused(text: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        with_hooks(text, handler(), "settings.json")
