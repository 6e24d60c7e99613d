"""What readers count in real transcripts is what the reference counter found."""

from collections import Counter

import pytest

from tests.support.transcripts import TRANSCRIPTS, mapped, reference_counts

EXPECTED = reference_counts()
LINE_COUNTS = frozenset({"lines", "bytes"})
"""Counted by who writes sessions, not by readers."""


@pytest.mark.parametrize("name", EXPECTED)
def test_counts_are_those_of_the_reference(name: str) -> None:
    found: Counter[str] = Counter()
    for mapper, _ in mapped(TRANSCRIPTS / name):
        found.update(mapper.reader.totals())
    wanted = {key: count for key, count in EXPECTED[name].items() if key not in LINE_COUNTS}
    assert {key: found[key] for key in wanted} == wanted


@pytest.mark.parametrize("name", EXPECTED)
def test_events_are_as_many_as_are_counted(name: str) -> None:
    kinds: Counter[str] = Counter()
    for _, events in mapped(TRANSCRIPTS / name):
        kinds.update(type(one.build()).__name__ for one in events)
    wanted = EXPECTED[name]
    made = {
        "decisions": kinds["AgentDecision"],
        "tool_calls": kinds["ToolCall"],
        "file_edits": kinds["StateChange"],
    }
    assert made == {key: wanted[key] for key in made}


@pytest.mark.parametrize("name", EXPECTED)
def test_no_two_events_have_the_same_id(name: str) -> None:
    ids = [one.event_id for _, events in mapped(TRANSCRIPTS / name) for one in events]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", [one for one in EXPECTED if one.startswith("claude_code")])
def test_reading_again_makes_the_same_events(name: str) -> None:
    def ids() -> list[str]:
        return [one.event_id for _, events in mapped(TRANSCRIPTS / name) for one in events]

    assert ids() == ids()
