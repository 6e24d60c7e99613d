import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from cortex.cli.app import COMMANDS, build_app, with_common_options
from cortex.cli.main import run
from cortex.cli.session import LogFormat, Session

NAMES = (
    "up down status doctor publish tail events sql replay runs timeline show diff why recall "
    "restore fork export import verify quarantine run orchestrate worker tasks cancel pause "
    "resume session hooks gate init agents claim release complete step-status steps wait-for send "
    "inbox memory artifact guide ingest prune backup bench version"
)


def test_every_promised_command_has_a_place() -> None:
    assert list(COMMANDS) == NAMES.split()


def test_help_imports_no_engine_and_no_client() -> None:
    code = """
import sys
from cortex.cli.main import run
assert run(["--help"], {}) == 0
heavy = {"nats", "chdb", "clickhouse_connect", "numpy", "pyarrow", "opentelemetry", "rich"}
print(sorted(heavy & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert all(name in done.stdout for name in NAMES.split())


def test_version_prints_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["version", "--json"], {}) == 0
    assert "enchanted-swarm" in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["version", "--nonsense"],
        ["bench", "--events", "0"],
        ["bench", "--rounds", "0"],
        ["verify", "--from", "5", "--to", "2"],
        [],
    ],
)
def test_wrong_usage_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments, {}) == 2
    assert "Usage: swarm" in "".join(capsys.readouterr())


@pytest.mark.parametrize("command", ["status", "up", "down", "doctor", "tail", "verify"])
def test_home_that_is_a_file_is_wrong_usage(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    assert run([command, "--home", str(file)], {}) == 2
    assert capsys.readouterr().err.startswith(f"swarm: --home is '{file}', expected a directory: ")


def probing_app() -> tuple[list[Session], typer.Typer]:
    seen: list[Session] = []

    async def probe(ctx: typer.Context, word: str, count: int = 1) -> None:
        seen.append(Session.of(ctx))
        assert (word, count) == ("w", 2)

    app = typer.Typer()
    app.command()(with_common_options(probe))
    return seen, app


def test_async_command_runs_and_sees_the_common_options(tmp_path: Path) -> None:
    seen, app = probing_app()
    session = Session(environment={}, directory=tmp_path)
    line = ["w", "--count", "2", "--home", str(tmp_path / "h"), "--log-format", "json"]
    with pytest.raises(SystemExit) as end:
        typer.main.get_command(app).main([*line, "--traceback"], obj=session)
    assert end.value.code == 0
    assert seen == [session]
    assert session.home.root == tmp_path / "h"
    assert session.traceback
    assert session.log_format is LogFormat.JSON


def test_home_is_accepted_before_the_command(tmp_path: Path) -> None:
    session = Session(environment={}, directory=tmp_path)
    with pytest.raises(SystemExit):
        build_app().main(["--home", str(tmp_path), "version"], obj=session)
    assert session.home.root == tmp_path


def test_home_comes_from_the_environment_then_from_the_nearest_parent(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    (tmp_path / ".swarm").mkdir()
    named = {"SWARM_HOME": str(tmp_path / "named")}
    assert Session(environment=named, directory=below).home.root == tmp_path / "named"
    assert Session(environment={}, directory=below).home.root == tmp_path / ".swarm"
