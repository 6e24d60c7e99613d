"""The tutorial's commands run as they stand, in its order."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(120)
def test_the_tutorial_can_be_typed_as_it_stands(tmp_path: Path) -> None:
    text = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
    program = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert program is not None
    commands = [line.strip() for line in text.splitlines() if line.startswith("    swarm ")]
    (tmp_path / "agent.py").write_text(program.group(1), encoding="utf-8")
    commands.insert(1, "python agent.py")
    environment = {
        **os.environ,
        "PATH": str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"],
        "SWARM_HOME": str(tmp_path / ".swarm"),
    }
    script = "set -e\ntrap 'swarm down' EXIT\n" + "\n".join(commands)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "the parser fails on empty input" in done.stdout
    assert "ok: 4 events are as they were" in done.stdout
