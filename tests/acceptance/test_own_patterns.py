"""Secrets that only their users know are taken out of what commands store."""

import json
from pathlib import Path

from tests.support.stacks import running_stack


def test_a_pattern_of_the_home_counts_for_sessions(tmp_path: Path) -> None:
    with running_stack(tmp_path / ".swarm") as stack:
        patterns = {"patterns": {"customer": "KD-[0-9]{4}"}}
        (stack.root / "redaction.json").write_text(json.dumps(patterns), encoding="utf-8")
        line = {"type": "user", "sessionId": "s1", "uuid": "u", "message": {"content": "KD-1234"}}
        transcript = tmp_path / "s1.jsonl"
        transcript.write_text(json.dumps(line) + "\n", encoding="utf-8")
        stack.swarm("session", "import", "--format", "claude-code", str(transcript))
        sql = "select redactions, line_bytes from swarm.events where kind = 'session_line'"
        (row,) = json.loads(stack.swarm("sql", sql, "--format", "json").stdout)
    assert row["redactions"] == {"customer": 1}
    assert "KD-1234" not in row["line_bytes"]
