"""Sub-agents in transcripts: what they do first leads to the call that started them."""

from pathlib import Path

import pytest

from infrastructure.intake.sessions.detecting import detect, head_objects, identify_lines
from infrastructure.intake.sessions.documents import read_lines
from infrastructure.intake.sessions.mapping import Mapper, Planned
from tests.support.transcripts import TRANSCRIPTS, cleaner, planned

CODEX = TRANSCRIPTS / "codex/gen0169"
STARTED = "01a1f82d-fe74-7632-9e90-fb353da4c20d"
CLAUDE = TRANSCRIPTS / "claude_code/spotter_full"


def read(path: Path) -> list[Planned]:
    form = detect(path)
    identity = identify_lines(path, form, head_objects(path.read_bytes()))
    assert identity is not None
    units = (cleaner().line(line) for line in read_lines(path))
    return planned(Mapper(identity, form.reader()), units, ())[1]


def of_kind(events: list[Planned], kind: str) -> list[Planned]:
    return [one for one in events if type(one.build()).__name__ == kind]


def named(events: list[Planned], child: str) -> list[Planned]:
    marks = of_kind(events, "SessionMark")
    texts = [(one.build(), one) for one in marks]
    return [
        one
        for mark, one in texts
        if (mark.mark_type, mark.mark_text) == ("subagent", child)  # type: ignore[union-attr] # kind is known
    ]


FAMILIES = [
    (
        next(CODEX.glob("*58-45*.jsonl")),
        next(CODEX.glob(f"*{STARTED}.jsonl")),
        STARTED,
    ),
    (
        next(CLAUDE.glob("*.jsonl")),
        next(CLAUDE.glob("*/subagents/agent-a2898e3.jsonl")),
        "a2898e3",
    ),
]


@pytest.mark.parametrize(("parent", "child", "name"), FAMILIES, ids=["codex", "claude-code"])
def test_what_a_sub_agent_does_first_leads_to_the_call_that_started_it(
    parent: Path, child: Path, name: str
) -> None:
    told = read(parent)
    mark = named(told, name)[0]
    calls = {one.event_id for one in of_kind(told, "ToolCall")}
    causes = [one.caused_by for one in read(child) if one.caused_by]
    assert causes[0] == (mark.event_id,)
    assert set(mark.caused_by) <= calls
    assert mark.caused_by


@pytest.mark.parametrize(("parent", "child", "name"), FAMILIES, ids=["codex", "claude-code"])
def test_an_agent_that_nobody_started_leads_nowhere(parent: Path, child: Path, name: str) -> None:
    del child, name
    events = read(parent)
    own = {one.event_id for one in events}
    assert all(cause in own for one in events for cause in one.caused_by)


@pytest.mark.parametrize(("parent", "child", "name"), FAMILIES, ids=["codex", "claude-code"])
def test_no_two_events_of_a_family_have_one_id(parent: Path, child: Path, name: str) -> None:
    del name
    ids = [one.event_id for one in [*read(parent), *read(child)]]
    assert len(ids) == len(set(ids))
