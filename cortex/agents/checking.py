"""Checks of a change: that files compile, and the commands that the run asks for."""

import re
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cortex.engine.job import Check
from cortex.models.port import CheckResult
from cortex.tools.config import Limits
from cortex.tools.linter import Linter
from nervous_system.options import Causes

COMPILES = "compileall"
SHOWN_BYTES = 4_000
_FAILURE = re.compile(
    r"^(?:FAILED|ERROR) (?![ (])(.+?)(?: - .*)?$"
    r"|^(?:FAIL|ERROR): (\w+ \([\w.<> ]+\))"
    r"|^\*\*\* Error compiling '(.+)'\.\.\.$",
    re.MULTILINE,
)
"""As pytest's summary, unittest's headings and compileall name what failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What one check said of one state of the files."""

    passed: bool
    failures: frozenset[str] = frozenset()
    output: str = ""

    def as_document(self) -> dict[str, Any]:
        """Return what JSON holds of it, the output left out."""
        return {"passed": self.passed, "failures": sorted(self.failures)}


Checks = Mapping[str, Checked]


def parse_checks(document: Mapping[str, Any]) -> dict[str, Checked]:
    """Return the results that `as_document` wrote, by name."""
    return {
        name: Checked(passed=bool(one["passed"]), failures=frozenset(one.get("failures", ())))
        for name, one in document.items()
    }


def command_of_tests(paths: Iterable[str], *, has_pytest: bool) -> str | None:
    """Return the command that runs a repository's tests; None where it has none.

    Modules come from where the command runs, first of all: the user's checkout may be installed
    beside the swarm in editable mode, and would be tested instead.
    """
    names = [path.rpartition("/")[2] for path in paths if path.endswith(".py")]
    if not any(name.startswith("test_") or name.endswith("_test.py") for name in names):
        return None
    python = f'PYTHONPATH="$PWD/src:$PWD" {shlex.quote(sys.executable)}'
    if has_pytest:
        return f"{python} -m pytest -q -p no:cacheprovider"
    return f"{python} -m unittest discover"


def compile_command(paths: Sequence[str]) -> str:
    """Return the command that compiles these files."""
    listed = " ".join(shlex.quote(path) for path in paths)
    return f"{shlex.quote(sys.executable)} -m compileall -q -f {listed}"


def failures_in(output: str) -> frozenset[str]:
    """Return the tests, or files, that a check's output names as failing."""
    return frozenset(one for names in _FAILURE.findall(output) for one in names if one)


async def run_checks(
    linter: Linter, checks: Sequence[Check], caused_by: Causes = ()
) -> dict[str, Checked]:
    """Run the checks one after another in the linter's workspace; a failing one is a result."""
    return {one.name: await run_check(linter, one, caused_by) for one in checks}


async def run_check(linter: Linter, check: Check, caused_by: Causes = ()) -> Checked:
    """Run one check."""
    limits = Limits(seconds=check.seconds, memory_bytes=check.memory_bytes)
    done = (await linter.run(check.name, check.command, limits=limits, caused_by=caused_by)).command
    text = (done.stdout + done.stderr).decode("utf-8", "replace")
    return Checked(
        passed=done.is_success,
        failures=failures_in(text),
        output=text[-SHOWN_BYTES:] or done.describe(),
    )


def compared(before: Checks, after: Checks) -> tuple[CheckResult, ...]:
    """Return what a reviewer's model is shown."""
    return tuple(
        CheckResult(
            name=name,
            passed_before=before[name].passed if name in before else None,
            passed_after=found.passed,
            failures_before=before[name].failures if name in before else frozenset(),
            failures_after=found.failures,
            output=found.output,
        )
        for name, found in after.items()
    )
