"""What holds for every plan of the offline model."""

from hypothesis import given
from hypothesis import strategies as st

from cortex.models.offline_plan import make_plan
from cortex.models.port import FileEntry, Finding, Plan, PlanRequest

PATHS = [f"{folder}{name}.py" for folder in ("", "src/") for name in "abcdef"]
RULES = ["F401", "F841", "E711", "E722", "B006", "I001", "UP006", "E501", "invalid-syntax"]


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    rule = draw(st.sampled_from(RULES))
    return Finding(
        path=draw(st.sampled_from(PATHS)),
        rule=rule,
        row=draw(st.integers(1, 99)),
        column=1,
        has_safe_fix=rule in ("I001", "UP006"),
    )


def planned(found: list[Finding]) -> Plan:
    files = tuple(FileEntry(path=path, size_bytes=1) for path in PATHS)
    return make_plan(PlanRequest(task="fix all lint findings", files=files, findings=tuple(found)))


@given(st.lists(findings(), max_size=40))
def test_tasks_of_one_file_follow_each_other(found: list[Finding]) -> None:
    before: dict[str, str] = {}
    for task in planned(found).tasks:
        assert {before[path] for path in task.paths if path in before} == set(task.depends_on)
        before.update(dict.fromkeys(task.paths, task.key))


@given(st.lists(findings(), max_size=40))
def test_every_finding_is_in_one_task_or_left_out(found: list[Finding]) -> None:
    plan = planned(found)
    broken = {one.path for one in found if one.rule == "invalid-syntax"}
    for one in found:
        tasks = [task for task in plan.tasks if one.path in task.paths and one.rule in task.rules]
        left = [part for part in plan.left_out if one.path in part.paths]
        assert len(tasks) == (one.path not in broken and one.rule != "E501")
        assert tasks or left


@given(st.lists(findings(), max_size=40))
def test_keys_are_unique(found: list[Finding]) -> None:
    keys = [one.key for one in planned(found).tasks]
    assert len(set(keys)) == len(keys)
