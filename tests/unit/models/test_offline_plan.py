"""The offline model's plans."""

import pytest

from cortex.errors import TaskRefusedError
from cortex.models.offline_plan import MAX_GROUP_FILES, make_plan
from cortex.models.port import FileEntry, Finding, Plan, PlanRequest


def finding(path: str, rule: str, row: int = 1, *, has_safe_fix: bool = False) -> Finding:
    return Finding(path=path, rule=rule, row=row, column=1, has_safe_fix=has_safe_fix)


def plan(*findings: Finding, task: str = "fix all lint findings") -> Plan:
    paths = {one.path for one in findings} | {"README.md"}
    files = tuple(FileEntry(path=path, size_bytes=1) for path in sorted(paths))
    return make_plan(PlanRequest(task=task, files=files, findings=findings))


def test_nothing_to_do_is_an_empty_plan() -> None:
    made = plan()
    assert made.tasks == ()
    assert "nothing is to be done" in made.rationale


def test_careful_rewrites_wait_for_the_plain_ones_of_their_file() -> None:
    made = plan(
        finding("a.py", "F401"), finding("a.py", "I001", has_safe_fix=True), finding("a.py", "E722")
    )
    assert [(one.rules, one.depends_on) for one in made.tasks] == [
        (("F401", "I001"), ()),
        (("E722",), (made.tasks[0].key,)),
    ]


def test_files_with_one_plain_rule_share_a_task() -> None:
    made = plan(finding("a.py", "F401"), finding("b.py", "F401"))
    assert [one.paths for one in made.tasks] == [("a.py", "b.py")]


def test_group_of_many_files_is_parted() -> None:
    made = plan(*(finding(f"{place:03}.py", "F401") for place in range(MAX_GROUP_FILES + 1)))
    assert [len(one.paths) for one in made.tasks] == [MAX_GROUP_FILES, 1]
    assert len({one.key for one in made.tasks}) == 2


def test_what_no_fix_is_known_for_is_left_with_its_reason() -> None:
    made = plan(finding("a.py", "E501"), finding("a.py", "E711"))
    assert [one.rules for one in made.left_out] == [("E501",)]
    assert "no safe fix" in made.left_out[0].reason
    assert made.confidence == 0.5


def test_file_that_does_not_parse_is_left_whole() -> None:
    made = plan(
        finding("a.py", "invalid-syntax", 3), finding("a.py", "F401"), finding("b.py", "F401")
    )
    assert [one.paths for one in made.tasks] == [("b.py",)]
    assert "a.py does not parse: line 3" in made.left_out[0].reason


def test_notebooks_are_left() -> None:
    made = plan(finding("a.ipynb", "F401", has_safe_fix=True))
    assert "only Python files" in made.left_out[0].reason


def test_stub_gets_safe_fixes_only() -> None:
    made = plan(finding("a.pyi", "B006"), finding("a.pyi", "I001", has_safe_fix=True))
    assert [one.rules for one in made.tasks] == [("I001",)]


def test_findings_outside_of_the_task_stay_and_are_named() -> None:
    made = plan(finding("a.py", "E711"), finding("a.py", "F401"), task="fix E711")
    assert [one.rules for one in made.tasks] == [("E711",)]
    assert "fixing F401 (1) too: the task does not name them" in made.rejected_alternatives


def test_rationale_counts_what_was_found() -> None:
    made = plan(finding("a.py", "E711"), finding("b.py", "E711", 2), finding("b.py", "E722"))
    assert "3 findings in 2 files" in made.rationale
    assert "E711 (2), E722 (1)" in made.rationale


def test_task_about_files_that_do_not_exist_is_refused() -> None:
    with pytest.raises(TaskRefusedError, match="no file of the repository fits `src/`"):
        plan(finding("a.py", "E711"), task="fix lint findings in src/")
