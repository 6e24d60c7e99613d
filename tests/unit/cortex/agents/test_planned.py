"""A plan that outlives its architect."""

from pathlib import Path

import pytest

from cortex.agents.planned import PLAN_FILE, KeptPlan, keep_plan, kept_plan
from cortex.models.port import LeftOut, Plan, PlannedTask

PLAN = Plan(
    tasks=(
        PlannedTask(key="a", title="A", why="asked", paths=("a.py", "é.py"), rules=("E711",)),
        PlannedTask(key="b", title="B", why="", paths=(), depends_on=("a",), priority=2),
    ),
    rationale="two files",
    rejected_alternatives=("one task: too much",),
    left_out=(LeftOut(title="E501", reason="no fix", paths=("a.py",)),),
    confidence=0.5,
)


def test_plan_comes_back_as_it_was(tmp_path: Path) -> None:
    kept = KeptPlan(plan=PLAN, decision_id="event", checks={"tests": {"passed": True}})
    keep_plan(tmp_path, kept)
    assert kept_plan(tmp_path) == kept
    assert [one.name for one in tmp_path.iterdir()] == [PLAN_FILE]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"plan": {"tasks": [{"x": 1}]}}'])
def test_what_is_no_plan_is_none(text: str, tmp_path: Path) -> None:
    (tmp_path / PLAN_FILE).write_text(text, encoding="utf-8")
    assert kept_plan(tmp_path) is None


def test_without_a_plan_there_is_none(tmp_path: Path) -> None:
    assert kept_plan(tmp_path) is None
