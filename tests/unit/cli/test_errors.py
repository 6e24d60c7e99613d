import pytest

from cortex.cli.errors import CommandFailedError, exit_code, report
from infrastructure.errors import HistoryUnavailableError, StackDownError
from nervous_system.errors import BusUnavailableError, ConfigError, PublishTimeoutError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CommandFailedError("no such event"), 1),
        (PublishTimeoutError(subject="s", event_id="e", timeout=1), 1),
        (RuntimeError("bug"), 1),
        (ConfigError(variable="A", given="b", expected="c", fix="d"), 2),
        (BusUnavailableError(servers="s", reason="r"), 3),
        (HistoryUnavailableError(dsn="d", reason="r"), 3),
        (StackDownError(home="h"), 3),
    ],
)
def test_each_error_has_its_exit_code(error: Exception, code: int) -> None:
    assert exit_code(error) == code


def test_error_of_ours_inside_a_group_is_what_is_reported(
    capsys: pytest.CaptureFixture[str],
) -> None:
    group = ExceptionGroup(
        "tasks", [ValueError("x"), ExceptionGroup("y", [StackDownError(home="h")])]
    )
    assert report(group, show_traceback=False) == 3
    assert capsys.readouterr().err == ("swarm: no stack runs for h: start it with `swarm up`\n")


def test_message_of_several_lines_is_reported_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    report(CommandFailedError("a\n  b"), show_traceback=False)
    assert capsys.readouterr().err == "swarm: a b\n"


@pytest.mark.parametrize(
    ("module", "extra"), [("cryptography.x509", "server"), ("chdb", "embedded")]
)
def test_missing_module_is_named_with_the_extra_that_brings_it(
    module: str, extra: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(ModuleNotFoundError("No module", name=module), show_traceback=False) == 1
    assert capsys.readouterr().err == (
        f"swarm: {module} is not installed: pip install 'enchanted-swarm[{extra}]'\n"
    )


def test_traceback_is_shown_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    report(RuntimeError("bug"), show_traceback=True)
    assert "RuntimeError: bug\nswarm: unexpected" in capsys.readouterr().err
