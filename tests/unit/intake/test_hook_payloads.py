import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from infrastructure.intake.gate.answers import CLAUDE_CODE, CODEX
from infrastructure.intake.hooks.payloads import Hook, Told, read_payload, tell
from infrastructure.intake.sessions.identity import agent_name
from nervous_system import events
from nervous_system.schemas import StateChange

DATA = Path(__file__).parents[2] / "data" / "hooks"


def hook(value: Any, harness: str = CLAUDE_CODE, delivery: str = "a" * 32) -> Hook:
    line = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Hook(harness=harness, delivery=delivery, at_ns=1, line=line, value=read_payload(line))


def told(value: Any, harness: str = CLAUDE_CODE) -> list[Told]:
    return tell(hook({"session_id": "s", "cwd": "/w", **value}, harness))


def recorded(name: str, harness: str) -> list[Told]:
    lines = (DATA / name).read_bytes().splitlines()
    return [one for n, line in enumerate(lines) for one in tell(hook(line, harness, f"{n:032x}"))]


@pytest.mark.parametrize(
    ("name", "harness", "counts"),
    [
        (
            "claude_spotter_short_hooks.jsonl",
            CLAUDE_CODE,
            {"session_line": 8, "tool_call": 4, "session_mark": 4},
        ),
        (
            "claude_spotter_subagent_hooks.jsonl",
            CLAUDE_CODE,
            {"session_line": 38, "tool_call": 32, "session_mark": 6, "state_change": 1},
        ),
        (
            "codex0169_hooks.jsonl",
            CODEX,
            {"session_line": 34, "tool_call": 23, "session_mark": 9, "decision": 3},
        ),
    ],
)
def test_every_payload_of_a_recorded_session_is_kept_and_read(
    name: str, harness: str, counts: dict[str, int]
) -> None:
    found = recorded(name, harness)
    assert Counter(events.kind_of_payload(one.payload) for one in found) == counts
    assert len({one.event_id for one in found}) == len(found)
    assert not [one for one in found if str(one.payload).startswith("unknown")]


def test_a_call_is_told_before_it_runs_and_its_answer_follows_from_that() -> None:
    said = {"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_use_id": "t1"}
    before = told({"hook_event_name": "PreToolUse", **said})[1]
    response = {"stdout": "a", "stderr": "b"}
    after = told({"hook_event_name": "PostToolUse", **said, "tool_response": response})[1]
    assert (before.payload.tool_call_id, before.payload.tool_outcome) == ("t1", "")  # type: ignore[union-attr]
    assert (after.payload.tool_result, after.payload.tool_outcome) == ("a\nb", "ok")  # type: ignore[union-attr]
    assert after.caused_by == (before.event_id,)


@pytest.mark.parametrize(
    ("extra", "outcome"),
    [
        ({"error": "Exit code 1"}, "failed"),
        ({"error": "The user doesn't want to proceed with this tool use."}, "refused"),
        ({"error": "x", "is_interrupt": True}, "refused"),
    ],
)
def test_a_failure_is_told_as_what_it_is(extra: dict[str, Any], outcome: str) -> None:
    said = {"tool_name": "Bash", "tool_use_id": "t", "tool_input": {}}
    found = told({"hook_event_name": "PostToolUseFailure", **said, **extra})
    assert found[1].payload.tool_outcome == outcome  # type: ignore[union-attr]
    assert found[1].payload.tool_result == extra["error"]  # type: ignore[union-attr]


def test_an_edit_is_a_change_of_its_file_with_both_states() -> None:
    detail = {"filePath": "/w/a", "originalFile": "one\n", "structuredPatch": []}
    asked = {"file_path": "/w/a", "old_string": "one", "new_string": "two"}
    found = told(
        {
            "hook_event_name": "PostToolUse",
            "tool_name": "Edit",
            "tool_use_id": "t",
            "tool_input": asked,
            "tool_response": detail,
        }
    )
    change = found[2].payload
    assert isinstance(change, StateChange)
    assert change.target_resource == "a"
    assert "-one\n+two" in change.diff_patch
    assert found[2].workspace_id == "hooks:s"  # the transcript's own history stays unbroken


def test_a_patch_of_codex_is_a_change_of_each_file() -> None:
    patch = "*** Begin Patch\n*** Add File: b.txt\n+hello\n*** End Patch"
    found = told(
        {
            "hook_event_name": "PostToolUse",
            "tool_name": "apply_patch",
            "tool_use_id": "t",
            "tool_input": {"command": patch},
            "tool_response": "Success. Updated the following files:\nA b.txt",
        },
        CODEX,
    )
    assert [one.payload.target_resource for one in found[2:]] == ["b.txt"]  # type: ignore[union-attr]


def test_a_sub_agent_is_an_agent_of_its_own_in_the_same_run() -> None:
    inside = {"hook_event_name": "PreToolUse", "tool_name": "Read", "tool_use_id": "t"}
    identity = hook({"session_id": "s", "agent_id": "a1", **inside}).identity
    assert (identity.run_id, identity.agent_id) == ("s", "claude-code/s/a1")
    assert identity.parent_agent_id == "claude-code/s"
    start = told({"hook_event_name": "SubagentStart", "agent_id": "a1"})[1]
    assert start.attributes["child_agent_id"] == agent_name(CLAUDE_CODE, "s", "a1")
    assert start.attributes["session_id"] == "s"


def test_a_sub_agent_of_codex_is_named_as_its_own_transcript_names_it() -> None:
    value = {"session_id": "s", "agent_id": "child", "hook_event_name": "Stop"}
    identity = hook(value, CODEX).identity
    assert (identity.run_id, identity.session_id) == ("s", "child")
    assert identity.agent_id == "codex/s/child"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"not json", "malformed"),
        (b"[1]", "malformed"),
        (b'{"hook_event_name": 1}', "malformed"),
        (b'{"hook_event_name": "FutureHook", "session_id": "s"}', "unknown:FutureHook"),
        (b"\xff\xfe", "malformed"),
        (b"", "malformed"),
    ],
)
def test_what_nobody_knows_is_kept_as_it_came(line: bytes, kind: str) -> None:
    (only,) = tell(hook(line))
    assert only.payload.line_bytes == line  # type: ignore[union-attr]
    assert only.payload.line_type == kind  # type: ignore[union-attr]


def test_the_same_delivery_makes_the_same_events() -> None:
    value = {"session_id": "s", "hook_event_name": "UserPromptSubmit", "prompt": "go"}
    assert tell(hook(value)) == tell(hook(value))
    other = tell(hook(value, delivery="b" * 32))
    assert {one.event_id for one in tell(hook(value))}.isdisjoint(one.event_id for one in other)


def test_what_the_model_said_last_is_a_decision() -> None:
    found = told({"hook_event_name": "Stop", "last_assistant_message": "done"})
    assert found[1].payload.rationale == "done"  # type: ignore[union-attr]
