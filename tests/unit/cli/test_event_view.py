"""Events as commands show them."""

import pytest

from cortex.cli.event_view import (
    payload_columns,
    shortest_float32,
    summary,
    text_line,
    view_of_event,
)
from nervous_system.schemas import SwarmEvent
from tests.support.builders import (
    Payload,
    build_artifact_stored,
    build_decision,
    build_event,
    build_mailbox_read,
    build_memory_change,
    build_message,
    build_model_call,
    build_run_transition,
    build_session_line,
    build_session_mark,
    build_signal,
    build_state_change,
    build_step_transition,
    build_task_transition,
    build_tombstone,
    build_tool_call,
    build_workspace_created,
)


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (build_decision("split\nadapter"), "split\nadapter"),
        (build_state_change("a.py", "", "b" * 64), "FILE_SYSTEM a.py absent -> bbbbbbbb"),
        (build_signal("HEALTHY"), "HEALTHY"),
        (build_tombstone("too large"), "too large"),
        (build_workspace_created("ws-1"), "ws-1"),
        (build_tool_call(), 'read_file {"path":"src/auth.py"} ok 1.5 ms'),
        (build_task_transition(), "t1 RUNNING coder-1 the worker before died"),
        (build_run_transition(), "run-1 RUNNING planned"),
        (build_model_call(), "offline ok 1200 in, 34 out 70.0 ms"),
        (build_step_transition(), "design complete complete coder-1"),
        (build_message(), "to tester: the API is ready"),
        (build_mailbox_read(), "mailbox read through #17"),
        (build_memory_change(), "db.port json 5432"),
        (build_artifact_stored(), "report.pdf version 2 8589934592 bytes design"),
        (build_session_line(), "transcript #3 user"),
        (build_session_mark(), "prompt fix the tests"),
    ],
)
def test_each_kind_says_its_point_in_one_line(payload: Payload, text: str) -> None:
    view = view_of_event(build_event(payload), stream="S", sequence=7, subject="s")
    assert summary(view) == text
    assert text_line(view).startswith("#7  ")
    assert "\n" not in text_line(view)


def test_only_the_fields_of_its_own_payload_are_shown() -> None:
    view = view_of_event(build_event(build_signal()), stream="S", sequence=1, subject="s")
    assert set(payload_columns("system_signal")) <= set(view)
    assert not set(payload_columns("decision")) & set(view)


def test_an_event_of_a_newer_schema_is_shown_as_unknown() -> None:
    event = build_event()
    event.ClearField("decision")
    raw = event.SerializeToString() + b"\x92\x03\x00"  # an empty payload of number 50
    view = view_of_event(SwarmEvent.FromString(raw), stream="S", sequence=1, subject="s")
    assert view["kind"] == "unknown"


@pytest.mark.parametrize(
    ("seconds", "nanos", "text"),
    [
        (0, 0, "1970-01-01T00:00:00Z"),
        (0, 123_456_789, "1970-01-01T00:00:00.123456789Z"),
        (-(10**15), 5, "1900-01-01T00:00:00Z"),
        (10**15, 5, "2262-04-11T23:47:15Z"),
    ],
)
def test_times_are_shown_as_history_holds_them(seconds: int, nanos: int, text: str) -> None:
    event = build_event()
    event.timestamp.seconds, event.timestamp.nanos = seconds, nanos
    assert view_of_event(event, stream="S", sequence=1, subject="s")["event_time"] == text


@pytest.mark.parametrize("value", [0.0, 0.9, 1.0, 0.1, 1e-30, 3.4e38])
def test_a_32_bit_float_reads_as_it_was_written(value: float) -> None:
    event = build_event(build_decision())
    event.decision.confidence_score = value
    assert shortest_float32(event.decision.confidence_score) == value


def test_what_is_no_number_is_null() -> None:
    assert shortest_float32(float("nan")) is None
