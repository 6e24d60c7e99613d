"""Databases of harnesses are read as they are now, their logs too, and not touched."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.eventually import eventually
from tests.support.mirrored import Swarm, following, mirror_once, open_swarm
from tests.support.servers import NatsServer

pytestmark = pytest.mark.timeout(60)
SCHEMA = (
    "create table sessions (id text, source text, parent_session_id text, model text,"
    " input_tokens integer, output_tokens integer, started_at real)",
    "create table messages (id integer primary key autoincrement, session_id text, role text,"
    " content text, tool_calls text, tool_call_id text, tool_name text, timestamp real,"
    " active integer)",
)


@pytest.fixture
async def swarm(nats_server: NatsServer) -> AsyncIterator[Swarm]:
    async with open_swarm(nats_server) as opened:
        yield opened


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A harness that has its database open, all rows in the log."""
    connection = sqlite3.connect(tmp_path / "state.db")
    connection.execute("pragma journal_mode = wal")
    for statement in SCHEMA:
        connection.execute(statement)
    connection.execute("insert into sessions values ('h-1', 'cli', null, 'm', 5, 2, 1767323045)")
    connection.execute(
        "insert into sessions values ('h-2', 'subagent', 'h-1', 'm', 0, 0, 1767323046)"
    )
    say(connection, "h-1", "user", "do it")
    say(connection, "h-2", "user", "help")
    yield connection
    connection.close()


def say(connection: sqlite3.Connection, session: str, role: str, content: str) -> None:
    connection.execute(
        "insert into messages (session_id, role, content, timestamp, active)"
        " values (?, ?, ?, 1767323047, 1)",
        (session, role, content),
    )
    connection.commit()


def states(folder: Path) -> dict[str, str]:
    """Return what lies in a folder, but the index of the log, which readers share."""
    return {
        one.name: sha256(one.read_bytes()).hexdigest()
        for one in folder.iterdir()
        if one.is_file() and not one.name.endswith("-shm")
    }


async def prompts(swarm: Swarm) -> list[str]:
    found = [one.session_mark for one in await swarm.events() if one.HasField("session_mark")]
    return [one.mark_text for one in found if one.mark_type == "prompt"]


async def test_rows_in_the_log_are_read(
    swarm: Swarm, writer: sqlite3.Connection, tmp_path: Path
) -> None:
    before = states(tmp_path)
    found = await mirror_once(swarm.store, tmp_path / "state.db")
    assert [one.identity.session_id for one in found] == ["h-1", "h-2"]
    assert await prompts(swarm) == ["do it", "help"]
    assert states(tmp_path) == before
    assert writer.in_transaction is False


async def test_a_log_without_its_index_is_read(
    swarm: Swarm, writer: sqlite3.Connection, tmp_path: Path
) -> None:
    copied = tmp_path / "copied"
    copied.mkdir()
    for name in ("state.db", "state.db-wal"):
        (copied / name).write_bytes((tmp_path / name).read_bytes())
    before = states(copied)
    await mirror_once(swarm.store, copied / "state.db")
    assert await prompts(swarm) == ["do it", "help"]
    assert sorted(one.name for one in copied.iterdir()) == sorted(before)
    assert writer.in_transaction is False


async def test_a_sub_agents_session_belongs_to_its_parents_run(
    swarm: Swarm, writer: sqlite3.Connection, tmp_path: Path
) -> None:
    del writer
    await mirror_once(swarm.store, tmp_path / "state.db")
    assert {one.run_id for one in await swarm.events()} == {"h-1"}


async def test_new_rows_are_followed(
    swarm: Swarm, writer: sqlite3.Connection, tmp_path: Path
) -> None:
    async def has_new() -> bool:
        return "go on" in await prompts(swarm)

    async with following(swarm.store, tmp_path / "state.db"):
        say(writer, "h-1", "user", "go on")
        await eventually(has_new)
    assert await swarm.repeated_ids() == []


async def test_flags_that_change_later_make_no_new_rows(
    swarm: Swarm, writer: sqlite3.Connection, tmp_path: Path
) -> None:
    await mirror_once(swarm.store, tmp_path / "state.db")
    writer.execute("update messages set active = 0")
    writer.commit()
    again = await mirror_once(swarm.store, tmp_path / "state.db")
    assert sum(one.stored_events for one in again) == 0


async def test_tokens_are_told_as_they_grow(
    swarm: Swarm, writer: sqlite3.Connection, tmp_path: Path
) -> None:
    async def tokens() -> list[int]:
        found = [one for one in await swarm.events() if one.HasField("model_call")]
        return [one.model_call.input_tokens for one in found]

    await mirror_once(swarm.store, tmp_path / "state.db")
    writer.execute("update sessions set input_tokens = 12 where id = 'h-1'")
    writer.commit()
    await mirror_once(swarm.store, tmp_path / "state.db")
    assert await tokens() == [5, 7]
