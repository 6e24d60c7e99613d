"""The README's first screen runs as it stands, and answers what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SET_UP = ("make setup", ". .venv/bin/activate")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found.group(1)


def settled(text: str) -> str:
    """Return `text` without what differs from run to run: digests and blanks at line ends."""
    lines = re.sub(r"[0-9a-f]{64}", "<digest>", text).splitlines()
    return "\n".join(line.rstrip() for line in lines).strip()


def test_the_example_shown_is_the_example_shipped() -> None:
    assert block("python") == (ROOT / "examples/first_agent.py").read_text(encoding="utf-8")


@pytest.mark.timeout(120)
def test_the_first_screen_answers_what_it_says(tmp_path: Path) -> None:
    lines = [line.partition("   #")[0].strip() for line in block("sh").splitlines()]
    commands = [line for line in lines if not line.startswith(SET_UP)]
    beside_python = str(Path(sys.executable).parent)
    environment = {
        **os.environ,
        "PATH": beside_python + os.pathsep + os.environ["PATH"],
        "SWARM_HOME": str(tmp_path / ".swarm"),
    }
    answers = {}
    try:
        for command in commands:
            done = subprocess.run(
                command, shell=True, cwd=ROOT, env=environment, capture_output=True, text=True
            )
            assert done.returncode == 0, f"{command}: {done.stderr}"
            answers[command.split()[1]] = done.stdout
    finally:
        subprocess.run(["swarm", "down"], env=environment, capture_output=True, check=False)
    assert settled(block("text")) == settled(answers["sql"] + answers["verify"])
