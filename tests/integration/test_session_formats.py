"""Formats of which no transcript lies beside the tests: made as their harnesses make them."""

import json
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from infrastructure.intake.sessions.detecting import detect
from tests.support.transcripts import mapped

EDIT = {
    "type": "tool",
    "tool": "edit",
    "callID": "c1",
    "state": {
        "status": "completed",
        "input": {"filePath": "/w/a.py"},
        "output": "done",
        "metadata": {"diff": "Index: a.py\n--- a.py\n+++ b.py\n@@ -1,1 +1,1 @@\n-x\n+y\n"},
    },
}
FAILED = {"name": "APIError", "data": {"message": "overloaded"}}
OPENHANDS: tuple[dict[str, Any], ...] = (
    {"kind": "MessageEvent", "source": "user", "llm_message": {"content": [{"text": "do it"}]}},
    {
        "kind": "ActionEvent",
        "thought": [{"text": "I begin"}],
        "reasoning_content": "first the file",
        "tool_call_id": "t1",
        "action": {"kind": "FileEditorAction", "command": "create", "path": "/w/a"},
    },
    {
        "kind": "ObservationEvent",
        "tool_call_id": "t1",
        "observation": {
            "kind": "FileEditorObservation",
            "path": "/w/a",
            "new_content": "x\n",
            "prev_exist": False,
        },
    },
    {"kind": "ObservationEvent", "tool_call_id": "t9", "observation": {"exit_code": 2}},
)


def counts(path: Path) -> dict[str, int]:
    found: Counter[str] = Counter()
    for mapper, _ in mapped(path):
        found.update(mapper.reader.totals())
    return {name: count for name, count in found.items() if count}


@pytest.fixture
def opencode(tmp_path: Path) -> Path:
    """A database of OpenCode with a session and a sub-agent's."""
    path = tmp_path / "opencode.db"
    rows: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
        "message": [("m1", "s1", {"role": "user"}), ("m2", "s1", {"role": "assistant"})],
        "part": [("p1", "m1", {"type": "text", "text": "do it"}), ("p2", "m2", EDIT)],
    }
    with sqlite3.connect(path) as tables:
        tables.execute("create table session (id text, parent_id text, directory text)")
        tables.executemany("insert into session values (?, ?, '/w')", [("s1", None), ("s2", "s1")])
        for table, owner in (("message", "session_id"), ("part", "message_id")):
            tables.execute(f"create table {table} (id text, {owner} text, data text)")
            made = [(one, of, json.dumps(data)) for one, of, data in rows[table]]
            tables.executemany(f"insert into {table} values (?, ?, ?)", made)
    tables.close()
    return path


def test_a_database_of_opencode_is_counted(opencode: Path) -> None:
    found = counts(opencode)
    wanted = ("user_prompts", "tool_calls", "tool_results", "file_edits")
    assert [found[name] for name in wanted] == [1, 1, 1, 1]


def test_a_sub_agent_of_opencode_belongs_to_its_parent(opencode: Path) -> None:
    assert [mapper.identity.run_id for mapper, _ in mapped(opencode)] == ["s1", "s1"]


def test_an_export_of_opencode_counts_what_failed(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    info = {"id": "m", "role": "assistant", "error": FAILED}
    message = {"info": info, "parts": [{"type": "text", "text": "so far"}]}
    path.write_text(json.dumps({"info": {"id": "s"}, "messages": [message]}))
    assert detect(path).name == "opencode-export"
    found = counts(path)
    assert (found["api_errors"], found["assistant_text"]) == (1, 1)


def test_events_of_openhands_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(map(json.dumps, OPENHANDS)))
    found = counts(path)
    assert {name: found[name] for name in ("decisions", "tool_calls", "tool_results")} == {
        "decisions": 2,
        "tool_calls": 1,
        "tool_results": 2,
    }
    assert (found["orphan_results"], found["nonzero_exit"], found["edit_calls"]) == (1, 1, 1)


def test_messages_of_openhands_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "trajectory.json"
    messages = [
        {"role": "user", "content": "do it"},
        {"role": "assistant", "content": "<function=execute_bash>ls</function>"},
    ]
    path.write_text(json.dumps(messages))
    assert detect(path).name == "openhands-messages"
    assert counts(path)["tool_calls"] == 1
