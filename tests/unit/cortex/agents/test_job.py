"""What a job is kept as, and what its run came to."""

import json
from pathlib import Path

import pytest

from cortex.engine.job import (
    Budget,
    Check,
    Job,
    NotDone,
    newest_accepted,
    outcome_of,
    parse_job,
)
from cortex.engine.state_machine import TaskTrigger
from tests.unit.cortex.agents.stories import JOB, Story


def test_job_comes_back_from_its_document() -> None:
    job = Job(
        run_id="r1",
        task="fix it",
        repository=Path("/tmp/r"),
        base_commit="a" * 40,
        model="openai:x",
        coders=3,
        checks=(Check(name="types", command="mypy .", seconds=5.0),),
        budget=Budget(max_tokens=10, max_usd=0.5),
        workspace_event="e1",
        parent={"run_id": "r0", "event_id": "e0"},
    )
    assert parse_job(json.loads(json.dumps(job.as_document()))) == job


@pytest.mark.parametrize("document", [{}, {"task": "test"}, {**JOB.as_document(), "checks": [{}]}])
def test_document_of_another_kind_of_run_is_no_job(document: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no job on a repository"):
        parse_job(document)


def test_nothing_accepted_is_no_branch() -> None:
    outcome = outcome_of(Story().planned(tasks=[]).state)
    assert outcome.as_document() == {"run_id": "r1", "branch": None, "accepted": [], "refused": []}


def test_accepted_changes_come_in_the_order_of_the_branch() -> None:
    story = Story().planned().handed_in("late", "Late").accepted("early", "1" * 40)
    story.ends("late", TaskTrigger.COMPLETE, {"commit": "2" * 40})
    outcome = outcome_of(story.state)
    assert [one.task for one in outcome.accepted] == ["early", "late"]
    assert outcome.branch == "swarm/r1"
    assert outcome.accepted[0].files == ("a.py",)


def test_what_was_left_out_refused_or_unresolved_is_told_with_its_reason() -> None:
    left = {"title": "E501", "reason": "no safe fix"}
    story = Story().planned(left_out=[left]).accepted("a", "1" * 40, unresolved=["E712: unknown"])
    story.handed_in("b", "B").ends("b", TaskTrigger.REFUSE, reason="not accepted after 3 rounds")
    assert outcome_of(story.state).refused == (
        NotDone(task="plan", title="E501", reason="no safe fix"),
        NotDone(task="a", title="Do a", reason="E712: unknown"),
        NotDone(task="b", title="B", reason="not accepted after 3 rounds"),
    )


def test_work_starts_from_the_newest_accepted_change() -> None:
    story = Story().planned()
    assert newest_accepted(story.state) is None
    story.accepted("a", "1" * 40).accepted("b", "2" * 40)
    assert newest_accepted(story.state) == ("2" * 40, f"event of {'2' * 40}")
