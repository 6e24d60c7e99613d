"""The short way past the parser reads arguments as the parser does, or leaves them to it."""

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex.cli import plain_typer
from cortex.cli.app import build_app
from cortex.cli.plain import parse_plain
from cortex.cli.plain_run import find_command
from cortex.cli.session import Session
from cortex.cli.sharing import NAMES, table

WORDS = st.sampled_from(
    [
        *("--json", "--note", "--to", "--force", "--token", "--lease", "--because", "--limit"),
        *("-n", "-f", "--new", "--timeout", "--if-revision", "--type", "--", "-", "--note=x=y"),
        *("--lease=5", "--token=-1", "--home", "/h", "--traceback", "--log-format", "json"),
        *("a", "B.c", "", "7", "2.5", "1_0", "nan", "-5", "--help", "--unknown", "é", "\ud83d"),
    ]
)
COMMANDS = st.sampled_from(
    [
        *(["claim"], ["release"], ["complete"], ["steps"], ["wait-for"], ["send"], ["inbox"]),
        *(["memory", "get"], ["memory", "set"], ["memory", "watch"], ["artifact", "download"]),
        *(["artifact", "list"], ["init"], ["guide"], ["agents"], ["step-status"]),
    ]
)


def as_parsed(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """What typer hands to the function; None where it refuses or prints help."""
    called: list[dict[str, Any]] = []

    def listen(command: Any) -> Any:
        async def function(session: Session, **given: Any) -> None:
            called.append({"home": session.given_home, **given})

        return function

    monkeypatch.setattr(plain_typer, "function_of", listen)
    session = Session(environment={}, directory=Path("/"))
    with contextlib.suppress(SystemExit):  # after help, a mistake, or the command
        build_app().main(arguments, prog_name="swarm", obj=session)
    return called[0] if called else None


@given(command=COMMANDS, words=st.lists(WORDS, max_size=6))
def test_what_is_read_on_the_short_way_is_what_the_parser_reads(
    command: list[str], words: list[str]
) -> None:
    found = find_command([*command, *words])
    assert found is not None
    parsed = parse_plain(*found)
    if parsed is None or parsed.common.get("--log-format", "text") not in ("text", "json"):
        return
    with pytest.MonkeyPatch.context() as monkeypatch:
        expected = as_parsed([*command, *words], monkeypatch)
    assert expected is not None
    plain = {name: _plain(value) for name, value in parsed.arguments.items()}
    assert {"home": parsed.common.get("--home"), **plain} == {
        name: _plain(value) for name, value in expected.items()
    }


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_name_of_the_short_way_has_a_command(name: str) -> None:
    assert name.replace("-", "_") in vars(table)


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
