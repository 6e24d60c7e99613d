"""Events as JSON lines: every bad line is named, with its field."""

from collections.abc import Mapping
from typing import Any

import pytest

from cortex.cli.event_lines import EventLines, Filling, read_event_lines
from nervous_system.errors import InvalidEventError
from nervous_system.schemas import SwarmEvent

FILLING = Filling(new_event_id=lambda: "new-id", now=lambda: "2026-01-01T00:00:00Z")


def decode(fields: Mapping[str, Any]) -> SwarmEvent:
    if "bad" in fields:
        raise InvalidEventError(field="decision.confidenceScore", reason="above 1")
    return SwarmEvent(event_id=fields.get("event_id") or fields["eventId"])


def read(*lines: bytes) -> EventLines:
    return read_event_lines(lines, decode, FILLING)


def test_good_lines_become_events_and_blank_ones_are_skipped() -> None:
    found = read(b'{"eventId": "a"}\n', b"\n", b'{"event_id": "b"}\n')
    assert [(line.line, line.event.event_id, line.has_own_id) for line in found.events] == [
        (1, "a", True),
        (3, "b", True),
    ]
    assert found.problems == ()


@pytest.mark.parametrize("line", [b"{}", b'{"eventId": ""}', b'{"event_id": null}'])
def test_a_missing_id_is_made(line: bytes) -> None:
    (found,) = read(line).events
    assert found.event.event_id == "new-id"
    assert not found.has_own_id


def test_a_missing_time_is_now() -> None:
    seen: list[Mapping[str, Any]] = []

    def remember(fields: Mapping[str, Any]) -> SwarmEvent:
        seen.append(fields)
        return SwarmEvent(event_id=str(len(seen)))

    given = b'{"timestamp": "2020-01-01T00:00:00Z"}'
    read_event_lines([b"{}", given], remember, FILLING)
    assert [fields["timestamp"][:4] for fields in seen] == ["2026", "2020"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"bad": 1}', "line 1: decision.confidenceScore: above 1"),
        (b"[1]", "line 1: not a JSON object"),
        (b"{", "line 1: not JSON: Expecting property name enclosed in double quotes at column 2"),
        (b"\xff", "line 1: not UTF-8 at byte 0"),
        (b'{"runId": "a", "runId": "b"}', "line 1: runId: given twice"),
        (b"[" * 100_000, "line 1: nested too deeply"),
    ],
)
def test_a_bad_line_is_named_with_its_field(line: bytes, message: str) -> None:
    assert [str(problem) for problem in read(line).problems] == [message]


def test_every_bad_line_is_named_not_only_the_first() -> None:
    problems = read(b'{"bad": 1}', b'{"eventId": "a"}', b"nonsense", b'{"bad": 2}').problems
    assert [problem.line for problem in problems] == [1, 3, 4]


def test_an_id_used_twice_is_a_bad_line_since_the_second_would_vanish() -> None:
    found = read(b'{"eventId": "a"}', b'{"eventId": "A"}')
    assert [str(problem) for problem in found.problems] == [
        "line 2: event_id: the same as in line 1"
    ]
