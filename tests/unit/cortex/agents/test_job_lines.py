"""What people read while a run goes on, and at its end."""

from cortex.cli.job_lines import line_of, summary_lines
from cortex.engine.job import outcome_of
from cortex.engine.state_machine import TaskTrigger
from tests.unit.cortex.agents.stories import Story


def said(story: Story) -> str:
    assert story.last is not None
    return line_of(story.state, story.last)


def test_plan_is_told_with_its_reason() -> None:
    story = Story()
    assert said(story) == ""
    story.planned(tasks=["a"], rationale="ruff says\nso", is_running=False)
    assert said(story) == "w plans 1 task: ruff says so"


def test_verdicts_name_task_and_reason() -> None:
    story = Story().planned().handed_in("a", "Greet")
    assert said(story) == ""  # the reviewer takes it
    story.ends("a", TaskTrigger.SEND_BACK, {}, reason="say\nhello")
    assert said(story) == "w sends back Greet: say hello"


def test_long_titles_are_cut() -> None:
    story = Story().planned().handed_in("a", "x" * 500)
    story.ends("a", TaskTrigger.REFUSE, reason="y" * 900)
    assert len(said(story)) < 400
    assert max(map(len, summary_lines(story.state, outcome_of(story.state)))) < 700


def test_summary_says_what_was_done_what_not_and_where() -> None:
    story = Story().planned(left_out=[{"title": "E501", "reason": "no fix"}])
    story.accepted("a", "1" * 40)
    assert summary_lines(story.state, outcome_of(story.state)) == [
        "done     111111111111  Do a  (a.py)",
        "not done               E501: no fix",
        "",
        "branch   swarm/r1",
        "run      r1",
    ]


def test_unfinished_run_does_not_say_that_nothing_is_to_be_done() -> None:
    story = Story().planned().handed_in("a", "A")
    assert summary_lines(story.state, outcome_of(story.state))[0] == "1 task is not finished"


def test_run_without_findings_says_so() -> None:
    story = Story().planned(tasks=[])
    assert summary_lines(story.state, outcome_of(story.state))[0] == "nothing to do"
