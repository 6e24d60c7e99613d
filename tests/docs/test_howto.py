"""The command lines in the how-tos are accepted by the command."""

import shlex
from pathlib import Path

import pytest

from cortex.cli.app import load_command
from cortex.cli.session import Session

HOWTO = Path(__file__).resolve().parents[2] / "docs/howto"
LINES = [
    line.strip()
    for page in sorted(HOWTO.glob("*.md"))
    for line in page.read_text(encoding="utf-8").splitlines()
    if line.startswith("    swarm ")
]


def test_there_are_command_lines_to_check() -> None:
    assert len(LINES) >= 4


@pytest.mark.parametrize("line", LINES)
def test_command_line_is_accepted(line: str, tmp_path: Path) -> None:
    """Parsed only, not run."""
    name, *arguments = shlex.split(line, comments=True)[1:]
    session = Session(environment={}, directory=tmp_path)
    load_command(name).make_context(name, arguments, obj=session).close()
