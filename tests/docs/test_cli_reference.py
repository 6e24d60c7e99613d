"""`docs/reference/cli.md` says what the commands say."""

from pathlib import Path

import pytest

from cortex.cli.app import COMMANDS
from cortex.cli.reference import reference

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def test_the_reference_is_what_the_help_texts_say() -> None:
    written = DOCUMENT.read_text(encoding="utf-8")
    assert written == reference(), "run: python -m cortex.cli.reference > docs/reference/cli.md"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_section(name: str) -> None:
    assert f"## `swarm {name}`\n" in DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["ls", "show", "redrive"])
def test_commands_of_a_group_have_theirs(name: str) -> None:
    assert f"### `swarm quarantine {name}`\n" in DOCUMENT.read_text(encoding="utf-8")
