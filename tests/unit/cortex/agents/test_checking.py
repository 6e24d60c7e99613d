"""What a test runner's output says, and how tests are run."""

import subprocess
from pathlib import Path

import pytest

from cortex.agents.checking import (
    Checked,
    command_of_tests,
    compared,
    compile_command,
    failures_in,
    parse_checks,
)

PYTEST = """
FAILED tests/test_a.py::test_one - assert 1 == 2
FAILED tests/test_a.py::test_two[a b]
ERROR tests/test_b.py
3 failed in 0.1s
"""
UNITTEST = """
ERROR: test_three (test_a.Case.test_three)
----------------------------------------------------------------------
FAIL: test_one (test_a.Case)
----------------------------------------------------------------------
FAILED (failures=1, errors=1)
"""


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (
            PYTEST,
            {"tests/test_a.py::test_one", "tests/test_a.py::test_two[a b]", "tests/test_b.py"},
        ),
        (UNITTEST, {"test_three (test_a.Case.test_three)", "test_one (test_a.Case)"}),
        ("*** Error compiling 'it's old.py'...\n  File \"it's old.py\", line 1\n", {"it's old.py"}),
        ("all is well\n", set()),
    ],
)
def test_failures_are_named_as_the_runner_names_them(output: str, expected: set[str]) -> None:
    assert failures_in(output) == expected


@pytest.mark.parametrize(
    ("paths", "has_pytest", "expected"),
    [
        (["a.py", "tests/test_a.py"], True, "-m pytest"),
        (["a_test.py"], False, "-m unittest discover"),
        (["a.py", "test_data.json", "latest_news.py"], True, None),
    ],
)
def test_command_of_tests_follows_the_files(
    paths: list[str], has_pytest: bool, expected: str | None
) -> None:
    command = command_of_tests(paths, has_pytest=has_pytest)
    assert command is None if expected is None else expected in (command or "")


@pytest.mark.parametrize("place", [".", "src"])
@pytest.mark.parametrize("has_pytest", [True, False])
def test_tests_import_what_lies_where_they_run(
    place: str, tmp_path: Path, *, has_pytest: bool
) -> None:
    """Also from `src`, which nothing but an installation would put on the path."""
    (tmp_path / place).mkdir(exist_ok=True)
    (tmp_path / place / "shop.py").write_text("OPEN = True\n", encoding="utf-8")
    test = "import unittest, shop\n\n\nclass Case(unittest.TestCase):\n"
    test += "    def test_it(self): self.assertTrue(shop.OPEN)\n"
    (tmp_path / "test_shop.py").write_text(test, encoding="utf-8")
    command = command_of_tests(["test_shop.py"], has_pytest=has_pytest) or ""
    subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, env={}, check=True)


def test_names_of_files_are_quoted_for_the_shell() -> None:
    assert compile_command(["a b.py", "$(x).py"]).endswith(" 'a b.py' '$(x).py'")


def test_results_come_back_from_their_document() -> None:
    checks = {"tests": Checked(passed=False, failures=frozenset({"t::b", "t::a"}))}
    document = {name: one.as_document() for name, one in checks.items()}
    assert document == {"tests": {"passed": False, "failures": ["t::a", "t::b"]}}
    assert parse_checks(document) == checks


def test_what_was_not_run_before_is_unknown() -> None:
    [result] = compared({}, {"tests": Checked(passed=True, output="1 passed")})
    assert (result.passed_before, result.passed_after) == (None, True)
