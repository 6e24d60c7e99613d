"""What `swarm.tasks`, `swarm.runs` and the views of calls say of a swarm at work."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infrastructure.history.client import HistoryClient, open_history
from infrastructure.history.config import HistoryConfig
from infrastructure.history.migrate import migrate
from infrastructure.ingestor.ledger import Head
from nervous_system import events
from nervous_system.comms.streams import COORDINATION_STREAM, EVENTS_STREAM
from tests.support.builders import MOMENT, build_decision, subject_of
from tests.support.ledgered import Appender

TASK = {"title": "remove unused imports", "role": "coder"}
JOB = {"task": "fix lint", "model": "offline", "branch": "swarm/r1"}


@pytest.fixture
def history(history_dsn: str) -> Iterator[HistoryClient]:
    with open_history(HistoryConfig(dsn=history_dsn)) as client:
        migrate(client)
        yield client


def append(history: HistoryClient, stream: str, *payloads: events.Payload, first: int = 1) -> None:
    """Append events of run r1, a second apart, in one batch."""
    made = [
        events.build(
            payload,
            role="coder",
            agent_id="coder-1",
            run_id="r1",
            at=MOMENT + timedelta(seconds=first + at),
        )
        for at, payload in enumerate(payloads)
    ]
    messages = [
        (first + at, subject_of(event), event.SerializeToString()) for at, event in enumerate(made)
    ]
    Appender(history, f"{stream}@now", stream, Head(stream, 0)).append(messages)


def only_row(history: HistoryClient, view: str) -> dict[str, Any]:
    (row,) = history.query(f"select * from swarm.{view}")
    return row


def at_second(second: int) -> datetime:
    return (MOMENT + timedelta(seconds=second)).astimezone(UTC)


def test_a_task_shows_its_newest_state_and_what_came_of_it(history: HistoryClient) -> None:
    append(
        history,
        COORDINATION_STREAM,
        events.task_transition("t1", state="PENDING", trigger="create", document=TASK),
        events.task_transition("t1", state="RUNNING", trigger="claim", worker="w", attempt=1),
        events.task_transition(
            "t1",
            state="DONE",
            trigger="complete",
            fence=2,
            document={"commit": "c"},
            reason="accepted",
        ),
    )
    row = only_row(history, "tasks")
    assert [row["run_id"], row["task_id"], row["title"], row["role"]] == [
        "r1",
        "t1",
        *TASK.values(),
    ]
    assert (row["task_state"], row["task_fence"], row["task_reason"]) == ("DONE", 2, "accepted")
    assert (row["task_result"], row["transitions"]) == ('{"commit":"c"}', 3)
    assert (row["created_at"], row["updated_at"]) == (at_second(1), at_second(3))


def test_a_task_without_a_result_has_none(history: HistoryClient) -> None:
    append(
        history,
        COORDINATION_STREAM,
        events.task_transition("t1", state="PENDING", trigger="create", document=TASK),
        events.task_transition("t1", state="READY", trigger="release"),
    )
    row = only_row(history, "tasks")
    assert (row["task_state"], row["task_result"]) == ("READY", "")


def test_what_is_claimed_beside_the_stream_of_coordination_does_not_count(
    history: HistoryClient,
) -> None:
    """There a rival would have lost; elsewhere anybody may say anything, at any sequence."""
    task, run = events.task_transition, events.run_transition
    append(
        history,
        COORDINATION_STREAM,
        task("t1", state="RUNNING", trigger="claim", document=TASK),
        run(state="RUNNING", document=JOB),
    )
    append(
        history,
        EVENTS_STREAM,
        task("t1", state="DONE", trigger="complete", document={"title": "x"}),
        run(state="FAILED", document={"task": "x", "branch": "y"}),
        first=9,
    )
    tasks, runs = only_row(history, "tasks"), only_row(history, "runs")
    assert (tasks["task_state"], tasks["title"]) == ("RUNNING", TASK["title"])
    assert (runs["run_state"], runs["task"], runs["branch"]) == ("RUNNING", "fix lint", "swarm/r1")


def test_a_run_says_what_it_is_about_and_when_it_ended(history: HistoryClient) -> None:
    run = events.run_transition
    append(
        history,
        COORDINATION_STREAM,
        run(state="PLANNING", document=JOB),
        run(state="SUCCEEDED", document={"branch": None, "accepted": []}, reason="nothing to do"),
    )
    append(
        history,
        EVENTS_STREAM,
        events.tool_call("lint"),
        events.model_call("offline", cost_microusd=3),
        events.model_call("offline", cost_microusd=4),
    )
    row = only_row(history, "runs")
    assert (row["task"], row["model"], row["branch"]) == ("fix lint", "offline", "")
    assert (row["run_state"], row["run_reason"]) == ("SUCCEEDED", "nothing to do")
    assert row["finished_at"] == at_second(2)
    assert (row["tool_calls"], row["model_calls"], row["cost_microusd"]) == (1, 2, 7)


def test_a_run_that_goes_on_again_has_no_end(history: HistoryClient) -> None:
    append(
        history,
        COORDINATION_STREAM,
        events.run_transition(state="FAILED", document=JOB),
        events.run_transition(state="RUNNING"),
    )
    row = only_row(history, "runs")
    assert (row["run_state"], row["branch"], row["finished_at"]) == ("RUNNING", "swarm/r1", None)


def test_a_run_that_nobody_leads_is_a_run_all_the_same(history: HistoryClient) -> None:
    append(history, EVENTS_STREAM, build_decision())
    row = only_row(history, "runs")
    assert (row["run_id"], row["decisions"], row["run_state"], row["task"]) == ("r1", 1, "", "")
    assert row["finished_at"] is None


def test_calls_have_views_and_count_for_their_agent(history: HistoryClient) -> None:
    append(
        history,
        EVENTS_STREAM,
        events.tool_call("read_file", arguments={"path": "a"}, outcome="refused", duration_us=5),
        events.model_call("offline", input_tokens=2, output_tokens=3),
    )
    tool, model = only_row(history, "tool_calls"), only_row(history, "model_calls")
    assert [tool["tool_name"], tool["tool_outcome"]] == ["read_file", "refused"]
    assert tool["tool_duration_us"] == 5
    assert (model["model_name"], model["input_tokens"], model["output_tokens"]) == ("offline", 2, 3)
    agent = only_row(history, "agents")
    assert (agent["tool_calls"], agent["model_calls"], agent["events"]) == (1, 1, 2)
