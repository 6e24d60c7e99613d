"""What `swarm.steps`, `messages`, `memory` and `artifacts` say, whatever is on the streams."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from cortex.cli.time_travel import event_view
from cortex.engine.past import Past
from infrastructure.history.client import AsyncHistory, HistoryClient, open_history
from infrastructure.history.config import HistoryConfig
from infrastructure.history.migrate import migrate
from infrastructure.ingestor.ledger import Head
from nervous_system import events
from nervous_system.comms.streams import COORDINATION_STREAM, EVENTS_STREAM
from nervous_system.subjects import escape_token
from tests.support.blob_contents import BlobContents
from tests.support.builders import MOMENT
from tests.support.ledgered import Appender

Said = tuple[str, str, events.Payload]
"""Subject behind `swarm.coordination.`, agent, payload."""
FAR = 2**52


@pytest.fixture
def history(history_dsn: str) -> Iterator[HistoryClient]:
    with open_history(HistoryConfig(dsn=history_dsn)) as client:
        migrate(client)
        yield client


def append(history: HistoryClient, *said: Said, stream: str = COORDINATION_STREAM) -> list[str]:
    """Append events in one batch; return their ids."""
    made = [
        (place, events.build(payload, agent_id=agent, run_id="r", at=MOMENT))
        for place, agent, payload in said
    ]
    messages = [
        (number, f"swarm.coordination.{place}.{event.agent_id}", event.SerializeToString())
        for number, (place, event) in enumerate(made, 1)
    ]
    Appender(history, f"{stream}@now", stream, Head(stream, 0)).append(messages)
    return [event.event_id for _, event in made]


def rows(history: HistoryClient, view: str) -> list[dict[str, Any]]:
    return history.query(f"select * from swarm.{view}")


def step(state: str, trigger: str, agent: str, until: int = 0, fence: int = 0) -> Said:
    holder = agent if state == "in_progress" else ""
    payload = events.step_transition(
        "s", state=state, trigger=trigger, holder=holder, fence=fence, expires_at_ms=until,
        document={"note": "n", "next_agent": "b", "changed_files": ["x"]} if until == 0 else "",
    )  # fmt: skip
    return "step.p.s", agent, payload


def test_a_step_reads_as_its_newest_transition(history: HistoryClient) -> None:
    append(
        history,
        step("in_progress", "claim", "a", FAR),
        step("in_progress", "renew", "a", FAR + 1, 1),
        step("complete", "complete", "a", fence=1),
    )
    (row,) = rows(history, "steps")
    assert [row[name] for name in ("step_state", "step_holder", "completed_by")] == [
        *("complete", "", "a")
    ]
    assert (row["step_fence"], row["transitions"], row["step_expires_at"]) == (1, 3, None)
    assert (row["note"], row["next_agent"], row["changed_files"]) == ("n", "b", ["x"])


@pytest.mark.parametrize(
    ("seconds", "state", "holder"), [(60, "in_progress", "a"), (-1, "pending", "")]
)
def test_a_claim_reads_pending_once_its_lease_has_run_out(
    history: HistoryClient, seconds: int, state: str, holder: str
) -> None:
    append(history, step("in_progress", "claim", "a", int((time.time() + seconds) * 1000)))
    (row,) = rows(history, "steps")
    assert (row["step_state"], row["step_holder"]) == (state, holder)
    assert (row["step_expires_at"] is None) == (state == "pending")


def test_what_other_streams_say_of_a_step_does_not_count(history: HistoryClient) -> None:
    append(history, step("complete", "force", "rogue"), stream=EVENTS_STREAM)
    assert rows(history, "steps") == []


def test_a_project_is_named_as_it_was_given(history: HistoryClient) -> None:
    name = "Größe.v2 *>"
    _, agent, payload = step("complete", "force", "a")
    append(history, (f"step.{escape_token(name)}.s", agent, payload))
    assert [row["project"] for row in rows(history, "steps")] == [name]


def test_a_message_names_who_has_been_shown_it(history: HistoryClient) -> None:
    append(
        history,
        ("message.p.b", "a", events.message("b", "to b")),
        ("message.p._broadcast", "a", events.message("_broadcast", "to all")),
        ("read.p", "b", events.mailbox_read(read_through=1)),
        ("read.p", "c", events.mailbox_read(read_through=2)),
        ("read.p", "a", events.mailbox_read(read_through=2)),
        ("read.q", "d", events.mailbox_read(read_through=2)),
    )
    found = {row["message_text"]: row["read_by"] for row in rows(history, "messages")}
    assert found == {"to b": ["b"], "to all": ["c"]}


def test_a_value_is_its_newest_change_until_it_is_deleted(history: HistoryClient) -> None:
    append(
        history,
        ("memory.p.k", "a", events.memory_change("k", "1", format="json")),
        ("memory.p.k", "b", events.memory_change("k", "two")),
        ("memory.p.gone", "a", events.memory_change("gone", "x")),
        ("memory.p.gone", "a", events.memory_change("gone", "", format="deleted")),
    )
    (row,) = rows(history, "memory")
    assert (row["memory_key"], row["memory_value"], row["memory_format"]) == ("k", "two", "text")
    assert (row["revision"], row["changed_by"], row["changes"]) == (2, "b", 2)


def test_each_version_of_an_artifact_is_a_row_and_one_the_newest(history: HistoryClient) -> None:
    def stored(version: int) -> Said:
        made = events.artifact_stored("f", digest="d" * 64, size_bytes=7, version=version)
        return "artifact.p.f", "a", made

    append(history, stored(1), stored(2))
    found = {row["artifact_version"]: row["is_newest"] for row in rows(history, "artifacts")}
    assert found == {1: 0, 2: 1}


@pytest.mark.parametrize(("line", "shown"), [(b"a\xff", "Yf8="), (b"{}", "{}")])
async def test_a_line_of_a_session_is_shown_whatever_its_bytes(
    history: HistoryClient, line: bytes, shown: str
) -> None:
    made = events.session_line(line, source="transcript", number=1)
    (event_id,) = append(history, ("x.y", "a", made), stream=EVENTS_STREAM)
    past = Past(AsyncHistory(history), BlobContents(history))
    (found,) = await past.events([event_id])
    assert found["line_bytes"] == line
    assert event_view(found)["line_bytes"] == shown
