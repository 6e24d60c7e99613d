"""Which findings a task's words name."""

import pytest

from cortex.errors import TaskRefusedError
from cortex.models.port import Finding
from cortex.models.scope import Scope, check_paths, matches, parse_scope

UNDERSTOOD = [
    ("Fix all lint findings", Scope()),
    ("make ruff happy", Scope()),
    ("Run the linter and fix everything it reports.", Scope()),
    ("fix E711", Scope(rules=("E711",))),
    ("Fix `E711` and E712!", Scope(rules=("E711", "E712"))),
    ("replace `== None`", Scope(rules=("E711",))),
    ("Remove unused imports", Scope(rules=("F401",))),
    ("bare excepts, mutable default arguments", Scope(rules=("E722", "B006"))),
    ("unused variables and missing encodings", Scope(rules=("F841", "PLW1514"))),
    ("comparisons with None and comparisons to True", Scope(rules=("E711", "E712"))),
    ("fix F401 in src/**/*.py", Scope(rules=("F401",), paths=("src/**/*.py",))),
    ("fix lint issues in the tests directory", Scope(paths=("tests",))),
    ("fix ruff errors in app.py and cli.py", Scope(paths=("app.py", "cli.py"))),
    ("fix all lint but not E501", Scope(excluded_rules=("E501",))),
    ("fix all lint, except in tests/", Scope(excluded_paths=("tests/",))),
]


@pytest.mark.parametrize(("task", "scope"), UNDERSTOOD)
def test_task_is_understood(task: str, scope: Scope) -> None:
    assert parse_scope(task) == scope


@pytest.mark.parametrize(
    "task",
    [
        "",
        "   ",
        "Add a login page",
        "Fix all errors",
        "fix F401 and add docstrings",
        "remove the ruff linter from the project",
        "do not fix F401",
        "run ruff",
        "translate the README",
        "corrige les imports",
        "fix the error handling",
        "../../etc/passwd",
    ],
)
def test_other_task_is_refused_with_what_can_be_done(task: str) -> None:
    with pytest.raises(TaskRefusedError, match="fixes lint findings"):
        parse_scope(task)


def test_refusal_names_the_words_that_are_not_understood() -> None:
    with pytest.raises(TaskRefusedError, match="not understood: `add`, `docstrings`"):
        parse_scope("fix F401 and add docstrings")


def test_path_that_fits_no_file_is_refused() -> None:
    with pytest.raises(TaskRefusedError, match="no file of the repository fits `src`"):
        check_paths(Scope(paths=("src",)), ["lib/a.py"])


@pytest.mark.parametrize(
    ("path", "pattern", "fits"),
    [
        ("src/a/b.py", "src", True),
        ("src/a/b.py", "src/", True),
        ("src/a/b.py", "src/*.py", False),
        ("src/a/b.py", "src/**/*.py", True),
        ("src/b.py", "src/**/*.py", True),
        ("src/a/b.py", "b.py", True),
        ("src/a/b.py", "*.py", True),
        ("src2/a.py", "src", False),
        ("a.py", ".", True),
        ("a.py", "./a.py", True),
    ],
)
def test_paths_match(path: str, pattern: str, fits: bool) -> None:
    assert matches(path, pattern) is fits


def test_beginning_of_a_code_covers_its_rules() -> None:
    finding = Finding(path="a.py", rule="PLW1514", row=1, column=1)
    assert Scope(rules=("PLW1",)).covers(finding)
    assert not Scope(excluded_rules=("PLW",)).covers(finding)
