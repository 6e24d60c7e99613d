"""Transcripts through the real command and the real stack: counted, kept, found again in SQL."""

import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.eventually import eventually_blocking
from tests.support.stacks import SWARM, Stack, running_stack
from tests.support.transcripts import (
    TRANSCRIPTS,
    call_line,
    prompt_line,
    reference_counts,
    result_line,
)

pytestmark = pytest.mark.timeout(240)
LONG = "claude_code/spotter_full/4d5611e5-241a-462a-8d15-5122611a9569.jsonl"
SESSION = "4d5611e5-241a-462a-8d15-5122611a9569"
EXPECTED = reference_counts()
BYTE_FOR_BYTE = (
    LONG,
    "claude_code/ccl_edge_cases.jsonl",
    "codex/gen0169/exec_json_stream.jsonl",
    "other_agents/pi/pimono_large-session.jsonl",
    "other_agents/gemini/agtrace_gemini_session.json",
    "other_agents/aider/chat-history_a.md",
    "trajectories/sweagent/test-repo-i1_v0.traj",
    "trajectories/miniswe/gen_mini-2.4.6.traj.json",
)
Mirrored = list[dict[str, Any]]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("sessions") / "home") as running:
        yield running


@pytest.fixture(scope="module")
def imported(stack: Stack) -> Mirrored:
    """All transcripts, imported by one command."""
    found: Mirrored = stack.json("session", "import", str(TRANSCRIPTS), "--no-redact")
    return found


def of_file(rows: Mirrored, name: str) -> Mirrored:
    return [row for row in rows if row["path"] == str(TRANSCRIPTS / name)]


@pytest.mark.parametrize("name", EXPECTED)
def test_the_row_of_a_session_has_the_counts_of_the_reference(
    stack: Stack, imported: Mirrored, name: str
) -> None:
    rows = sessions(stack)
    found: Counter[str] = Counter()
    for row in of_file(rows, name):
        found.update(row["counts"])
        assert all(row["counts"][key] == row[key] for key in row["counts"] if key in row)
    assert of_file(imported, name)
    assert {key: found[key] for key in EXPECTED[name]} == EXPECTED[name]


_rows: Mirrored = []


def sessions(stack: Stack) -> Mirrored:
    """Return the rows of all sessions, asked for once."""
    if not _rows:
        _rows.extend(stack.json("session", "list"))
    return _rows


def test_importing_again_stores_nothing(stack: Stack, imported: Mirrored) -> None:
    again = stack.json("session", "import", str(TRANSCRIPTS), "--no-redact")
    assert len(again) == len(imported)
    assert {row["session_id"]: row["stored_events"] for row in again if row["stored_events"]} == {}


@pytest.mark.parametrize("name", BYTE_FOR_BYTE)
def test_a_transcript_comes_back_byte_for_byte(stack: Stack, imported: Mirrored, name: str) -> None:
    (row,) = of_file(imported, name)
    wanted = (row["session_id"], row["source"])
    (known,) = [one for one in sessions(stack) if (one["session_id"], one["source"]) == wanted]
    assert known["path"] == row["path"]
    asked = ("session", "show", row["session_id"], "--source", row["source"], "--lines")
    done = subprocess.run(
        [SWARM, *asked, "--no-wait", "--home", str(stack.root)], capture_output=True, check=True
    )
    assert done.stdout == (TRANSCRIPTS / name).read_bytes()


def test_a_session_is_a_run_like_any_other(stack: Stack, imported: Mirrored) -> None:
    del imported
    (run,) = stack.sql(f"select * from swarm.runs where run_id = '{SESSION}'")
    own, agent = EXPECTED[LONG], EXPECTED[f"{LONG[:-6]}/subagents/agent-a2898e3.jsonl"]
    compact = EXPECTED[f"{LONG[:-6]}/subagents/agent-acompact-e1f845.jsonl"]
    assert run["decisions"] == own["decisions"] + agent["decisions"] + compact["decisions"]
    assert run["tool_calls"] == own["tool_calls"] + agent["tool_calls"]
    assert (run["state_changes"], run["agents"]) == (own["file_edits"], 3)
    assert run["cost_microusd"] > 0


def test_tokens_are_counted_once_per_message(stack: Stack, imported: Mirrored) -> None:
    del imported
    tokens = json.loads((TRANSCRIPTS / "COUNTS.json").read_text())["files"][LONG]
    (usage,) = stack.sql(
        "select * from swarm.usage "
        f"where run_id = '{SESSION}' and agent_id = 'claude-code/4d5611e5-9569'"
    )
    expected = tokens["tokens_dedup_by_message_id"]
    assert usage["calls"] == tokens["api_messages"]
    assert usage["input_tokens"] == expected["input_tokens"]
    assert usage["output_tokens"] == expected["output_tokens"]
    assert usage["cache_read_tokens"] == expected["cache_read_input_tokens"]
    assert usage["cache_write_tokens"] == expected["cache_creation_input_tokens"]


def test_a_sub_agent_names_its_parent(stack: Stack, imported: Mirrored) -> None:
    del imported
    (row,) = [one for one in sessions(stack) if one["session_id"] == f"{SESSION}/a2898e3"]
    assert row["run_id"] == SESSION
    assert row["parent_agent_id"] == "claude-code/4d5611e5-9569"


def test_calls_are_paired_with_their_results(stack: Stack, imported: Mirrored) -> None:
    del imported
    rows = stack.sql(
        "select tool_outcome, sources, tool_result != '' as is_answered from swarm.tool_calls "
        f"where run_id = '{SESSION}' and agent_id = 'claude-code/4d5611e5-9569'"
    )
    assert len(rows) == EXPECTED[LONG]["tool_calls"]
    assert sum(row["tool_outcome"] == "failed" for row in rows) == EXPECTED[LONG]["errors"]
    assert all(row["sources"] == ["transcript"] for row in rows)


def test_a_line_of_a_file_is_explained_by_a_decision(stack: Stack, imported: Mirrored) -> None:
    del imported
    why = stack.json(
        "why", "lib/spotter_web/components/transcript_components.ex:1", "--run", SESSION
    )
    assert why["decision"]["rationale"] == "Now create the shared transcript components:"


def test_two_moments_of_a_session_differ_by_lines(stack: Stack, imported: Mirrored) -> None:
    del imported
    rows = stack.sql(
        "select toString(event_id) as id from swarm.state_changes "
        f"where run_id = '{SESSION}' order by stream_seq limit 2"
    )
    (changed,) = stack.json("diff", *[row["id"] for row in rows])
    assert changed["patch"].startswith("---")


def test_a_timeline_tells_of_a_session_without_its_lines(stack: Stack, imported: Mirrored) -> None:
    del imported
    kinds = Counter(row["kind"] for row in stack.json("timeline", SESSION, "--limit", "0"))
    assert kinds["session_line"] == 0
    assert kinds["tool_call"] == 183


# --- mirrored while they go on


@contextmanager
def mirror_process(stack: Stack, path: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [SWARM, "session", "mirror", "--harness", "claude-code", "--source", str(path)]
    process = subprocess.Popen(
        [*command, "--follow", *arguments, "--home", str(stack.root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def prompts_of(stack: Stack, session: str) -> list[str]:
    rows = stack.sql(
        "select mark_text from swarm.events where kind = 'session_mark' and mark_type = 'prompt' "
        f"and run_id = '{session}' order by stream_seq"
    )
    return [row["mark_text"] for row in rows]


def test_a_written_line_becomes_an_event(stack: Stack, tmp_path: Path) -> None:
    path = tmp_path / "f-1.jsonl"
    path.write_bytes(prompt_line("one", 1, "f-1"))
    with mirror_process(stack, path):
        eventually_blocking(lambda: prompts_of(stack, "f-1") == ["one"], timeout=60)
        with path.open("ab") as file:
            file.write(prompt_line("two", 2, "f-1"))
        eventually_blocking(lambda: prompts_of(stack, "f-1") == ["one", "two"], timeout=60)


def test_a_killed_mirror_goes_on_where_it_was(stack: Stack, tmp_path: Path) -> None:
    path = tmp_path / "f-2.jsonl"
    path.write_bytes(prompt_line("one", 1, "f-2"))
    with mirror_process(stack, path) as process:
        eventually_blocking(lambda: prompts_of(stack, "f-2") == ["one"], timeout=60)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with path.open("ab") as file:
        file.write(prompt_line("two", 2, "f-2"))
    with mirror_process(stack, path):
        eventually_blocking(lambda: len(prompts_of(stack, "f-2")) > 1, timeout=60)
    assert prompts_of(stack, "f-2") == ["one", "two"]


def test_a_mirror_survives_truncation_and_rotation(stack: Stack, tmp_path: Path) -> None:
    path = tmp_path / "f-3.jsonl"
    path.write_bytes(b"".join(prompt_line(str(one), one, "f-3") for one in (1, 2, 3)))
    with mirror_process(stack, path):
        eventually_blocking(lambda: len(prompts_of(stack, "f-3")) == 3, timeout=60)
        os.truncate(path, 0)
        path.write_bytes(prompt_line("4", 4, "f-3"))
        eventually_blocking(lambda: len(prompts_of(stack, "f-3")) == 4, timeout=60)
        path.rename(tmp_path / "old.jsonl")
        path.write_bytes(prompt_line("5", 5, "f-3"))
        eventually_blocking(lambda: len(prompts_of(stack, "f-3")) == 5, timeout=60)
    assert prompts_of(stack, "f-3") == ["1", "2", "3", "4", "5"]


def test_a_mirror_is_stopped_by_its_session(stack: Stack, tmp_path: Path) -> None:
    path = tmp_path / "f-4.jsonl"
    path.write_bytes(prompt_line("one", 1, "f-4"))
    with mirror_process(stack, path) as process:
        eventually_blocking(lambda: prompts_of(stack, "f-4") == ["one"], timeout=60)
        (stopped,) = stack.json("session", "stop", "f-4")
        assert (stopped["pid"], process.wait(timeout=30)) == (process.pid, 0)
    assert "no mirror" in stack.swarm("session", "stop", "f-4", expected=1).stderr


def test_a_call_that_was_told_early_is_one_call(stack: Stack, tmp_path: Path) -> None:
    path = tmp_path / "f-5.jsonl"
    path.write_bytes(
        prompt_line("make it", 1, "f-5") + call_line("c1", "Bash", {"command": "make"}, "f-5")
    )
    mirror = ("session", "mirror", "--source", str(path))
    stack.swarm(*mirror)
    with path.open("ab") as file:
        file.write(result_line("c1", "made", session="f-5"))
    stack.swarm(*mirror)
    (call,) = stack.sql("select * from swarm.tool_calls where run_id = 'f-5'")
    assert (call["tool_outcome"], call["tool_result"]) == ("ok", "made")
    (run,) = stack.sql("select tool_calls from swarm.runs where run_id = 'f-5'")
    assert run["tool_calls"] == 1


def test_a_home_of_a_harness_is_searched(stack: Stack, tmp_path: Path) -> None:
    work = tmp_path / "some.work"
    folder = tmp_path / ".claude/projects" / str(work).replace("/", "-").replace(".", "-")
    (folder / "h-1/subagents").mkdir(parents=True)
    (folder / "h-1.jsonl").write_bytes(prompt_line("one", 1, "h-1"))
    child = prompt_line("inner", 1, "h-1").replace(b'"type"', b'"isSidechain": true, "type"', 1)
    (folder / "h-1/subagents/agent-a1.jsonl").write_bytes(child)
    here = Stack(stack.root, {"HOME": str(tmp_path)})
    found = here.json("session", "mirror", "--harness", "claude-code", "--cwd", str(work))
    assert [row["session_id"] for row in found] == ["h-1", "h-1/a1"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("mirror", "--harness", "claude-code", "--source", "none.jsonl"), "no such file"),
        (("import", __file__), "no known format"),
        (("show", "nobody"), "no session nobody"),
    ],
)
def test_a_mistake_is_said_in_a_line(stack: Stack, arguments: tuple[str, ...], said: str) -> None:
    done = stack.swarm("session", *arguments, expected=1)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_harness_is_wrong_usage(stack: Stack) -> None:
    done = stack.swarm("session", "mirror", "--harness", "nobody", expected=2)
    assert "claude-code" in done.stderr
