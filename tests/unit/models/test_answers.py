"""Answers of language models that do not fit, and what becomes of those that do."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex.models.answers import AnswerProblemError, PlanAnswer, shown_text, to_plan
from cortex.models.port import Plan, PlanRequest

REQUEST = PlanRequest(task="x", files=())


def task(key: str, *depends_on: str, paths: tuple[str, ...] = ("a.py",)) -> dict[str, Any]:
    return {"key": key, "title": key, "why": "", "paths": paths, "depends_on": depends_on}


def plan(*tasks: dict[str, Any]) -> Plan:
    answer = PlanAnswer.model_validate({"tasks": tasks, "rationale": "r", "confidence": 0.5})
    return to_plan(answer, REQUEST)


def test_tasks_of_one_file_are_put_after_each_other() -> None:
    made = plan(task("a", "b"), task("b"), task("c"), task("d", paths=("d.py",)))
    depends = {one.key: one.depends_on for one in made.tasks}
    assert depends == {"b": (), "c": ("b",), "d": (), "a": ("b", "c")}


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        ([task("a"), task("a")], "same key"),
        ([task("a", "z")], "which is no key"),
        ([task("a", "b"), task("b", "a")], "wait for each other"),
        ([task("a", paths=("/etc/passwd",))], "no path relative"),
        ([task("a", paths=("a/../../b",))], "leads out"),
        ([task("a", paths=(".git/config",))], "leads out"),
        ([task("a", paths=("a\\b",))], "no path relative"),
    ],
)
def test_plan_that_cannot_be_worked_on_is_a_problem(
    tasks: list[dict[str, Any]], words: str
) -> None:
    with pytest.raises(AnswerProblemError, match=words):
        plan(*tasks)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 7),
            st.sets(st.integers(0, 7)),
            st.sets(st.sampled_from("abc"), min_size=1),
        )
    )
)
def test_dependencies_never_form_a_circle(
    drawn: list[tuple[int, set[int], set[str]]],
) -> None:
    """Whatever is answered is either a problem or an order."""
    tasks = [task(str(key), *map(str, deps), paths=tuple(paths)) for key, deps, paths in drawn]
    try:
        made = plan(*tasks)
    except AnswerProblemError:
        return
    seen: set[str] = set()
    for one in made.tasks:
        assert set(one.depends_on) <= seen
        seen.add(one.key)


@pytest.mark.parametrize(
    ("content", "text"),
    [(b"a\r\nb", "a\nb"), (b"\xef\xbb\xbfa", "a"), (b"\xff", None), (b"a\0", None)],
)
def test_only_text_is_shown(content: bytes, text: str | None) -> None:
    assert shown_text(content) == text
