"""Formats are found out by what files hold, sessions by what they are called in them."""

from pathlib import Path

import pytest

from infrastructure.intake.sessions.detecting import detect, head_objects, identify_lines
from infrastructure.intake.sessions.errors import SourceError
from infrastructure.intake.sessions.identity import agent_name, event_id
from nervous_system.events import is_event_id
from tests.support.transcripts import TRANSCRIPTS

FORMATS = {
    "claude_code/spotter_short.jsonl": "claude-code",
    "claude_code/as_schema_drift.jsonl": "claude-code",
    "codex/agtrace_codex_session.jsonl": "codex",
    "codex/gen0169/exec_json_stream.jsonl": "codex-stream",
    "other_agents/openclaw/as_small.jsonl": "openclaw",
    "other_agents/pi/as_small.jsonl": "pi",
    "other_agents/hermes/gen_state.db": "hermes",
    "other_agents/hermes/as_small.json": "hermes-export",
    "other_agents/gemini/as_small.json": "gemini",
    "other_agents/gemini/as_schema_drift.json": "gemini",
    "other_agents/gemini/as_jsonl_v040.jsonl": "gemini-lines",
    "other_agents/opencode/storage_v2": "opencode",
    "other_agents/aider/chat-history_a.md": "aider",
    "trajectories/sweagent/test-repo-i1_v0.traj": "swe-agent",
    "trajectories/sweagent/function_calling_simple.traj": "swe-agent",
    "trajectories/miniswe/local.traj.json": "mini-swe-agent",
    "trajectories/miniswe/gen_mini-2.4.6.traj.json": "mini-swe-agent",
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_recognised(name: str) -> None:
    assert detect(TRANSCRIPTS / name).name == FORMATS[name]


def test_what_nobody_knows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("nothing of that kind")
    with pytest.raises(SourceError, match="no known format"):
        detect(path)


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No such file"):
        detect(tmp_path / "none.jsonl")


def test_a_sub_agent_belongs_to_its_session() -> None:
    folder = TRANSCRIPTS / "claude_code/spotter_full/4d5611e5-241a-462a-8d15-5122611a9569"
    path = folder / "subagents/agent-a2898e3.jsonl"
    form = detect(path)
    found = identify_lines(path, form, head_objects(path.read_bytes()[:100_000]))
    assert found is not None
    assert found.run_id == folder.name
    assert found.session_id == f"{folder.name}/a2898e3"
    assert found.parent_agent_id == agent_name("claude-code", folder.name)


def test_a_thread_that_was_spawned_belongs_to_its_parent() -> None:
    (path,) = (TRANSCRIPTS / "codex/gen0169").glob("rollout-*fe74*.jsonl")
    found = identify_lines(path, detect(path), head_objects(path.read_bytes()))
    assert found is not None
    assert found.run_id == "01a1f82d-fa90-7350-a112-4c272e0a98a2"
    assert found.session_id == "01a1f82d-fe74-7632-9e90-fb353da4c20d"


def test_sessions_that_begin_at_the_same_time_have_agents_of_their_own() -> None:
    first, second = "01a1f82d-fa90-7350-a112-4c272e0a98a2", "01a1f82d-fa90-7350-a112-4c272e0a9111"
    assert agent_name("codex", first) != agent_name("codex", second)


def test_ids_of_events_are_uuids_of_their_own() -> None:
    ids = {event_id("key", b"digest", number, name) for number in range(3) for name in "ab"}
    assert len(ids) == 6
    assert all(is_event_id(one) and one[14] == "8" for one in ids)
