"""The same session, seen by its hooks and by its transcript: joined, and compared."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from infrastructure.intake.hooks import command
from tests.support.stacks import Stack

DATA = Path(__file__).parents[1] / "data"
SESSION = "01a1f82d-fa90-7350-a112-4c272e0a98a2"
CHILD = "01a1f82d-fe74-7632-9e90-fb353da4c20d"


@pytest.fixture(scope="module", autouse=True)
def patience() -> Iterator[None]:
    """Tests share their machine: payloads are not to go the long way because it is busy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "DEADLINE_SECONDS", 20.0)
        yield


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, patience: None) -> Iterator[Stack]:
    """A stack that has both sources of one session of Codex."""
    del patience
    running = Stack(tmp_path_factory.mktemp("check") / ".swarm")
    try:
        running.up()
        for line in (DATA / "hooks" / "codex0169_hooks.jsonl").read_bytes().splitlines():
            delivery = os.urandom(16).hex()
            assert command.deliver(str(running.root), "codex", delivery, line, None) == b""
        for rollout in sorted((DATA / "sessions" / "codex").rglob(f"rollout-*{CHILD[:9]}*.jsonl")):
            running.swarm("session", "import", str(rollout))
        yield running
    finally:
        running.swarm("down", expected=None)


def test_calls_of_both_sources_are_one_row_each(stack: Stack) -> None:
    sql = f"select tool_call_id, sources from swarm.tool_calls where run_id = '{SESSION}'"
    rows = json.loads(stack.swarm("sql", sql, "--format", "json").stdout)
    assert len({row["tool_call_id"] for row in rows}) == len(rows)
    both = [row for row in rows if sorted(row["sources"]) == ["hook", "transcript"]]
    assert len(both) == 13


def test_the_sub_agent_is_the_same_agent_in_both(stack: Stack) -> None:
    sql = (
        "select agent_id, groupUniqArray(attributes['source']) as sources from swarm.events"
        f" where run_id = '{SESSION}' and attributes['parent_agent_id'] != '' group by agent_id"
    )
    (row,) = json.loads(stack.swarm("sql", sql, "--format", "json").stdout)
    assert sorted(row["sources"]) == ["hook", "transcript"]


def test_what_only_one_source_saw_is_reported(stack: Stack) -> None:
    """Codex calls no hook behind a patch that failed: those calls have one answer less."""
    found = stack.json("session", "check", SESSION[:13], expected=1)
    assert found["session"] == SESSION
    assert {one["source"] for one in found["sources"]} == {"hook", "transcript"}
    calls = [one for one in found["differences"] if one["what"] in {"tool_call", "answer"}]
    assert {tuple(one["seen_by"]) for one in calls} == {("transcript",)}
    assert [one["what"] for one in calls].count("answer") == 3


def test_a_session_that_one_source_saw_whole_is_complete(stack: Stack) -> None:
    line = json.dumps({"session_id": "alone", "hook_event_name": "UserPromptSubmit", "prompt": "x"})
    command.deliver(str(stack.root), "claude-code", "c" * 32, line.encode(), None)
    said = stack.swarm("session", "check", "alone").stdout
    assert "only one source saw it" in said


def test_an_unknown_session_is_named(stack: Stack) -> None:
    assert "no session nowhere" in stack.swarm("session", "check", "nowhere", expected=1).stderr
