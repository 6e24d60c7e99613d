"""The offline model's reviews."""
# ruff: noqa: E501 - one case a line

from typing import Any

import pytest

from cortex.models.offline_review import make_review
from cortex.models.port import CheckResult, Finding, PlannedTask, Review, ReviewRequest

TASK = PlannedTask(key="a", title="E711", why="found", paths=("a.py",), rules=("E711",))
COMPILES = CheckResult(name="compileall", passed_before=True, passed_after=True)
PASSES = CheckResult(name="tests", passed_before=True, passed_after=True)


def found(rule: str, row: int = 1, path: str = "a.py") -> Finding:
    return Finding(path=path, rule=rule, row=row, column=1, message="said")


def review(**facts: Any) -> Review:
    usual: dict[str, Any] = {
        "task": "fix E711",
        "planned": TASK,
        "diff": "--- a\n+++ b\n-x\n+y\n",
        "changed_paths": ("a.py",),
        "findings_before": (found("E711"),),
        "checks": (COMPILES, PASSES),
    }
    return make_review(ReviewRequest(**{**usual, **facts}))


def test_change_that_helps_and_breaks_nothing_is_accepted() -> None:
    made = review()
    assert made.accepted
    assert made.reasons == ()
    assert made.confidence == 1.0


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"findings_after": (found("E711"),)}, "did not go down: 1 before, 1 after"),
    ({"findings_after": (found("F821", 7),)}, "new finding F821 in a.py: line 7"),
    ({"changed_paths": ("a.py", "b.py")}, "b.py was changed, which the task does not name"),
    ({"changed_paths": ()}, "nothing was changed"),
    ({"checks": (CheckResult(name="compileall", passed_after=False, output="x\nbad\n"),)}, "compileall fails: bad"),
    ({"checks": (CheckResult(name="compileall"),)}, "compileall did not run"),
    ({"checks": (CheckResult(name="tests", passed_before=True, passed_after=False),)}, "tests fails"),
    ({"checks": (CheckResult(name="tests", passed_before=True),)}, "tests did not run after"),
    (
        {"checks": (CheckResult(name="tests", passed_before=False, passed_after=False, failures_before=frozenset("a"), failures_after=frozenset("ab")),)},
        "tests: now failing: b",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "reason"), REFUSED)
def test_change_is_sent_back_with_the_reason(facts: dict[str, Any], reason: str) -> None:
    made = review(**facts)
    assert not made.accepted
    assert reason in " ".join(made.reasons)


def test_tests_that_failed_before_hold_nothing_up() -> None:
    known = frozenset({"test_a"})
    check = CheckResult(
        name="tests",
        passed_before=False,
        passed_after=False,
        failures_before=known,
        failures_after=known,
    )
    assert review(checks=(COMPILES, check)).accepted


KNOWN = frozenset({"a.py"})
OLD = CheckResult(
    name="compileall",
    passed_before=False,
    passed_after=False,
    failures_before=KNOWN,
    failures_after=KNOWN,
)


def test_file_that_never_compiled_holds_nothing_up() -> None:
    assert review(checks=(OLD, PASSES)).accepted


@pytest.mark.parametrize(
    ("facts", "rejected"),
    [
        ({}, "sending it back: E711 (1) went away, no new one came, and the tests pass"),
        ({"checks": (COMPILES,)}, "sending it back for want of tests: "),
        ({"checks": (OLD, PASSES)}, "sending it back for a.py in compileall: failing before"),
        ({"unresolved": ("a.py:3: E711: why",)}, "sending it back for the 1 that are left"),
        ({"findings_after": (found("F821", 7),)}, "accepting it for what it resolves: new finding"),
    ],
)
def test_alternatives_come_from_what_was_found(facts: dict[str, Any], rejected: str) -> None:
    [one] = review(**facts).rejected_alternatives
    assert one.startswith(rejected)


def test_missing_tests_are_said_and_lower_the_confidence() -> None:
    made = review(checks=(COMPILES,))
    assert made.accepted
    assert "no tests ran" in made.rationale
    assert made.confidence < 0.7


def test_blind_except_may_take_the_place_of_a_bare_one() -> None:
    task = PlannedTask(key="a", title="", why="", paths=("a.py",), rules=("E722",))
    before, after = (found("E722"),), (found("BLE001"),)
    assert review(planned=task, findings_before=before, findings_after=after).accepted
    twice = (*after, found("BLE001", 9))
    assert not review(planned=task, findings_before=before, findings_after=twice).accepted
