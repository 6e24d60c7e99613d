"""Payloads about the work itself: tool calls, tasks, runs, calls to models."""

import json
import re
from collections.abc import Callable

import pytest

from nervous_system import events
from nervous_system.errors import InvalidEventError
from nervous_system.payloads import MAX_TOOL_RESULT_BYTES


def test_arguments_become_json() -> None:
    made = events.tool_call("read_file", arguments={"path": "größe\ud83d", "lines": [1, 2]})
    assert json.loads(made.tool_arguments) == {"path": "größe\ud83d", "lines": [1, 2]}


def test_a_document_that_is_text_stays_as_it_is() -> None:
    made = events.run_transition(state="PLANNING", document='{ "task": "lint" }')
    assert made.run_document == '{ "task": "lint" }'


@pytest.mark.parametrize("value", [object(), float("nan"), b"bytes"])
def test_what_json_cannot_hold_names_its_field(value: object) -> None:
    with pytest.raises(InvalidEventError) as caught:
        events.task_transition("t", state="READY", trigger="release", document={"x": value})
    assert caught.value.field == "task_document"


def test_an_outcome_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidEventError, match="none of ok, refused, failed, timed_out") as caught:
        events.tool_call("read_file", outcome="okay")  # type: ignore[arg-type]
    assert caught.value.field == "tool_outcome"


def test_a_result_that_is_no_text_names_its_field() -> None:
    with pytest.raises(InvalidEventError) as caught:
        events.tool_call("read_file", result=3)  # type: ignore[arg-type]
    assert caught.value.field == "tool_result"


def test_a_result_up_to_the_limit_is_kept_whole() -> None:
    text = "é" * (MAX_TOOL_RESULT_BYTES // 2)
    assert events.tool_call("read_file", result=text).tool_result == text


@pytest.mark.parametrize("word", ["é", "word ", "漢字\n", "a" * 300 + " ", "\ud83d"])
def test_a_longer_result_is_cut_and_says_by_how_much(word: str) -> None:
    text = word * MAX_TOOL_RESULT_BYTES
    cut = events.tool_call("read_file", result=text).tool_result
    kept, _, last = cut.rpartition("\n")
    missing = re.fullmatch(r"\[(\d+) more bytes\]", last)
    whole = text.encode("utf-8", "backslashreplace")
    assert missing is not None
    assert whole.startswith(kept.encode())
    assert len(kept.encode()) + int(missing[1]) == len(whole)
    assert MAX_TOOL_RESULT_BYTES - 400 < len(cut.encode()) <= MAX_TOOL_RESULT_BYTES


def test_a_result_is_cut_between_words() -> None:
    secret = "ghp_" + "a1B2" * 9
    text = f"{'. ' * (MAX_TOOL_RESULT_BYTES // 2 - 20)}{secret} {'and more ' * 9}"
    cut = events.tool_call("read_file", result=text).tool_result
    assert cut.endswith(f". \n[{len(secret) + 82} more bytes]")


def test_what_agents_share_says_what_it_is_given() -> None:
    step = events.step_transition("s", state="in_progress", trigger="claim", expires_at_ms=2**60)
    assert (step.step_fence, step.step_expires_at_ms, step.step_document) == (0, 2**60, "")
    read = events.mailbox_read(read_through=7, removed=iter(["a", "b"]))
    assert (read.removed_through, list(read.read_ids)) == (0, ["a", "b"])


@pytest.mark.parametrize(
    ("build", "field"),
    [
        (lambda: events.memory_change("k", "v", format="yaml"), "memory_format"),  # type: ignore[arg-type]
        (lambda: events.session_line(b"", source="file", number=1), "line_source"),  # type: ignore[arg-type]
        (lambda: events.session_line("text", source="hook", number=1), "line_bytes"),  # type: ignore[arg-type]
        (lambda: events.mailbox_read(read_through=-1), "read_through"),
        (lambda: events.session_mark("gate", document={"x": object()}), "mark_document"),
    ],
)
def test_what_a_field_cannot_hold_is_refused_by_its_name(
    build: Callable[[], object], field: str
) -> None:
    with pytest.raises(InvalidEventError) as caught:
        build()
    assert caught.value.field == field
