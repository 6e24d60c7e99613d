"""Histories that were made by an earlier version go on: rows, checks and appending."""

import re
from collections.abc import AsyncIterator, Iterator

import pytest

from cortex.cli.event_view import payload_columns
from infrastructure.history import migrate as migrating
from infrastructure.history.client import HistoryClient, open_history
from infrastructure.history.config import Deployment, HistoryConfig
from infrastructure.history.migrate import load_migrations, migrate, schema_versions
from infrastructure.ingestor.decoding import stored_schema
from tests.support import ledgered
from tests.support.builders import (
    Payload,
    build_decision,
    build_event,
    build_model_call,
    build_run_transition,
    build_state_change,
    build_task_transition,
    build_tool_call,
    subject_of,
)
from tests.support.columns import expected_row
from tests.support.ledgered import life_of
from tests.support.stored import stored_rows
from tests.support.verified import SmallSwarm, small_swarm

BEFORE_WORK = 10
"""Newest migration of the version that knew no payloads about the work itself."""
WORK_FIELD = re.compile(r"^  (ToolCall|TaskTransition|RunTransition|ModelCall) ")


@pytest.fixture
def old_history(history_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[HistoryClient]:
    """A history as the version before made it, empty."""
    known = [one for one in load_migrations() if one.number <= BEFORE_WORK]
    with open_history(HistoryConfig(dsn=history_dsn)) as client:
        with monkeypatch.context() as patched:
            patched.setattr(migrating, "load_migrations", lambda: known)
            migrate(client)
        yield client


@pytest.fixture
async def old_swarm(nats_url: str, old_history: HistoryClient) -> AsyncIterator[SmallSwarm]:
    """A swarm with that history and events in it."""
    async with small_swarm(nats_url, old_history) as swarm:
        await swarm.publish(life_of("e1", 4))
        await swarm.ingest()
        yield swarm


def work_events() -> list[tuple[str, bytes]]:
    payloads: list[Payload] = [
        *(build_tool_call(), build_task_transition(), build_run_transition()),
        *(build_model_call(), build_decision()),
    ]
    events = [build_event(payload) for payload in payloads]
    return [(subject_of(event), event.SerializeToString()) for event in events]


async def test_a_history_of_before_goes_on(old_swarm: SmallSwarm) -> None:
    """Rows from before and after the change are what their messages say."""
    assert min(migrate(old_swarm.history)) > BEFORE_WORK
    await old_swarm.publish(work_events())
    await old_swarm.ingest()
    rows = stored_rows(old_swarm.history)
    for row, (_, _, raw) in zip(rows, old_swarm.messages, strict=True):
        expected = expected_row(raw)
        assert {name: row[name] for name in expected} == expected
    assert await old_swarm.problems() == []


async def test_a_change_of_a_new_column_is_found(old_swarm: SmallSwarm) -> None:
    migrate(old_swarm.history)
    await old_swarm.publish(work_events())
    await old_swarm.ingest()
    old_swarm.alter("alter table swarm.events update task_fence = 18 where stream_seq = 6")
    assert await old_swarm.problems() == [("column_changed", 6)]


async def test_who_appends_by_the_schema_of_before_goes_on_too(
    old_swarm: SmallSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ingestors are replaced one by one: one of the version before meets the new tables."""
    lines = stored_schema().splitlines()
    schema = "\n".join(line for line in lines if not WORK_FIELD.search(line))
    migrate(old_swarm.history)
    monkeypatch.setattr(ledgered, "stored_schema", lambda: schema)
    await old_swarm.publish(life_of("e2", 4))
    await old_swarm.ingest()
    assert await old_swarm.problems() == []


async def test_what_was_of_an_unknown_kind_can_be_repaired(old_swarm: SmallSwarm) -> None:
    """The version before keeps a tool call as unknown; the raw bytes say what it is."""
    migrate(old_swarm.history)
    event = build_event(build_tool_call())
    event.agent_id = "coder-1"
    await old_swarm.publish([(subject_of(event), event.SerializeToString())])
    await old_swarm.ingest()
    empty = ", ".join(
        f"{name} = {0 if name.endswith('_us') else repr('')}"
        for name in payload_columns("tool_call")
    )
    old_swarm.alter(
        f"alter table swarm.events update kind = 'unknown', {empty} where stream_seq = 5"
    )
    assert await old_swarm.problems() == [("column_changed", 5)]
    await old_swarm.repair()
    assert await old_swarm.problems() == []
    assert old_swarm.history.query("select tool_name from swarm.tool_calls") == [
        {"tool_name": "read_file"}
    ]


def test_every_statement_of_a_migration_may_run_again(old_history: HistoryClient) -> None:
    """A crash can fall between a migration and its record."""
    migrate(old_history)
    for migration in load_migrations():
        for statement in migration.statements(Deployment.EMBEDDED):
            old_history.command(statement)
    numbers = [one.number for one in load_migrations()]
    assert schema_versions(old_history) == numbers
    assert old_history.query("select count() as rows from swarm.runs") == [{"rows": 0}]


async def test_batches_of_any_kinds_can_be_merged(old_swarm: SmallSwarm) -> None:
    """Parts that differ in their projections never would be, until there are too many of them."""
    migrate(old_swarm.history)
    for payload in (build_decision(), build_state_change(), build_decision()):
        event = build_event(payload)
        await old_swarm.publish([(subject_of(event), event.SerializeToString())])
        await old_swarm.ingest()
    merge = "optimize table swarm.events final settings optimize_throw_if_noop = 1"
    old_swarm.history.command(merge)
