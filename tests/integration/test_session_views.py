"""What `swarm.sessions`, `swarm.tool_calls` and `swarm.usage` say of foreign agents."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from infrastructure.history.client import HistoryClient, open_history
from infrastructure.history.config import HistoryConfig
from infrastructure.history.migrate import migrate
from infrastructure.ingestor.ledger import Head
from nervous_system import events
from nervous_system.comms.streams import COORDINATION_STREAM, EVENTS_STREAM
from tests.support.builders import MOMENT, subject_of
from tests.support.ledgered import Appender

Told = tuple[events.Payload, str]
EDIT = {"file_path": "a.py"}


@pytest.fixture
def history(history_dsn: str) -> Iterator[HistoryClient]:
    with open_history(HistoryConfig(dsn=history_dsn)) as client:
        migrate(client)
        yield client


def append(history: HistoryClient, *told: Told, stream: str = EVENTS_STREAM) -> None:
    """Append events of session s-1, each told by a source; an empty one is the agent itself."""
    made = [
        events.build(
            payload,
            role="coder",
            agent_id="claude-code/s-1",
            run_id="s-1",
            at=MOMENT + timedelta(seconds=at),
            attributes={"source": source, "session_id": "s-1", "harness": "claude-code"}
            if source
            else {},
        )
        for at, (payload, source) in enumerate(told)
    ]
    messages = [(at, subject_of(one), one.SerializeToString()) for at, one in enumerate(made, 1)]
    Appender(history, f"{stream}@now", stream, Head(stream, 0)).append(messages)


def cursor(generation: int = 0, **counts: int) -> events.Payload:
    document = {"path": "/t/s-1.jsonl", "counts": counts, "generation": generation}
    return events.session_mark("mirror", document=document)


def line(source: Any) -> Told:
    return events.session_line(b"{}", source=source, number=1), source


def call(
    outcome: Any = "ok", call_id: str = "c1", name: str = "Edit", **more: Any
) -> events.Payload:
    return events.tool_call(name, call_id=call_id, arguments=EDIT, outcome=outcome, **more)


def rows(history: HistoryClient, view: str) -> list[dict[str, Any]]:
    return history.query(f"select * from swarm.{view}")


def test_a_session_is_what_its_newest_cursor_says(history: HistoryClient) -> None:
    append(
        history,
        (cursor(lines=3, assistant_text=1), "transcript"),
        (cursor(lines=9, assistant_text=2, thinking=3), "transcript"),
    )
    (row,) = rows(history, "sessions")
    assert (row["session_id"], row["source"], row["path"]) == ("s-1", "transcript", "/t/s-1.jsonl")
    assert (row["lines"], row["decisions"]) == (9, 5)


def test_a_kept_cursor_does_not_outdo_those_of_the_stream(history: HistoryClient) -> None:
    append(history, (cursor(lines=9), "transcript"))
    append(
        history, *[(cursor(lines=one), "transcript") for one in (1, 2)], stream=COORDINATION_STREAM
    )
    (row,) = rows(history, "sessions")
    assert row["lines"] == 9


def test_each_source_of_a_session_has_a_row(history: HistoryClient) -> None:
    append(
        history,
        (cursor(tool_calls=2, user_prompts=1), "transcript"),
        line("hook"),
        (events.session_mark("prompt", text="do"), "hook"),
        (call(), "hook"),
        (call("failed", "c2", "Bash"), "hook"),
    )
    found = {row["source"]: row for row in rows(history, "sessions")}
    assert all(row["sources"] == ["hook", "transcript"] for row in found.values())
    hook = found["hook"]
    assert (hook["tool_calls"], hook["errors"], hook["file_edits"]) == (2, 1, 1)
    assert (hook["user_prompts"], hook["unanswered_calls"], hook["lines"]) == (1, 0, 1)


def test_a_call_of_two_sources_is_one_row(history: HistoryClient) -> None:
    append(
        history,
        (call(result="short"), "hook"),
        (call(result="as the model saw it", duration_us=7), "transcript"),
    )
    (row,) = rows(history, "tool_calls")
    assert row["sources"] == ["hook", "transcript"]
    assert (row["stream_seq"], row["tool_result"]) == (1, "as the model saw it")
    assert (row["tool_name"], row["tool_duration_us"]) == ("Edit", 7)


def test_a_call_without_an_id_names_who_tells_of_it(history: HistoryClient) -> None:
    """Some formats have no ids: such calls stay a row each."""
    append(history, (call(call_id=""), "import"), (call(call_id=""), "import"))
    assert [one["sources"] for one in rows(history, "tool_calls")] == [["import"], ["import"]]


def test_calls_of_agents_that_speak_for_themselves_stay_apart(history: HistoryClient) -> None:
    append(history, (call(), ""), (call(), ""))
    found = rows(history, "tool_calls")
    assert [row["sources"] for row in found] == [[], []]


def test_a_run_counts_a_call_once(history: HistoryClient) -> None:
    append(history, (call(), "hook"), (call(), "transcript"), (call("ok", "c2"), "transcript"))
    (run,) = rows(history, "runs")
    (agent,) = rows(history, "agents")
    assert (run["tool_calls"], agent["tool_calls"]) == (2, 2)


def test_usage_is_summed_by_model(history: HistoryClient) -> None:
    def asked(cost: int) -> Told:
        payload = events.model_call("m", input_tokens=10, output_tokens=2, cost_microusd=cost)
        return payload, "transcript"

    append(history, asked(5), asked(7))
    (row,) = rows(history, "usage")
    assert (row["model_name"], row["calls"], row["input_tokens"]) == ("m", 2, 20)
    assert row["cost_microusd"] == 12
