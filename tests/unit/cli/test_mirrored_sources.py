"""Which transcripts a folder stands for, and in which order."""

from pathlib import Path

from cortex.cli.mirroring import _files_in
from tests.support.transcripts import prompt_line


def test_a_session_comes_before_its_sub_agents(tmp_path: Path) -> None:
    """History tells what happened in the order in which it was stored."""
    agent = tmp_path / "s-1/subagents/agent-a1.jsonl"
    agent.parent.mkdir(parents=True)
    for path in (agent, tmp_path / "s-1.jsonl"):
        path.write_bytes(prompt_line("go"))
    assert _files_in(tmp_path) == [tmp_path / "s-1.jsonl", agent]
