"""What an agent notes in a run is on the bus, under its own key, and there after a restart."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cortex.memory.notebook import notebook_key, open_notebook
from cortex.memory.short_term import DECIDED, SENT_BACK
from nervous_system import connect
from nervous_system.comms.connection import open_nats
from nervous_system.comms.keyvalue import open_key_value
from nervous_system.comms.streams import MEMORY_BUCKET, declare_memory_bucket
from nervous_system.config import SwarmConfig
from nervous_system.swarm import Swarm
from tests.support.bus import declare
from tests.support.servers import NatsServer


@asynccontextmanager
async def swarm_at(url: str, home: Path) -> AsyncIterator[Swarm]:
    config = SwarmConfig.from_env({}, home, home, url)
    async with connect(config=config) as swarm:
        yield swarm


@pytest.fixture
async def swarm(nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[Swarm]:
    async with open_nats(nats_server.url, name="test") as client:
        await declare(client.jetstream())
    async with swarm_at(nats_server.url, tmp_path / "home") as opened:
        yield opened


async def test_restarted_agent_has_its_notes(swarm: Swarm) -> None:
    first = await open_notebook(swarm, "run-1", "Coder 1")
    await first.note("task-1", DECIDED, "take the import out", "e1")
    await first.note("task-1", SENT_BACK, "a test fails")
    again = await open_notebook(swarm, "run-1", "Coder 1")
    assert again.window == first.window
    assert [note.text for note in again.window.about("task-1", SENT_BACK)] == ["a test fails"]


async def test_notes_belong_to_one_run_and_one_agent(swarm: Swarm) -> None:
    await (await open_notebook(swarm, "run-1", "coder-1")).note("t", DECIDED, "mine")
    assert (await open_notebook(swarm, "run-2", "coder-1")).window.notes == ()
    assert (await open_notebook(swarm, "run-1", "coder-2")).window.notes == ()


async def test_two_lives_of_one_agent_lose_nothing_of_each_other(swarm: Swarm) -> None:
    first = await open_notebook(swarm, "run-1", "coder-1")
    second = await open_notebook(swarm, "run-1", "coder-1")
    await first.note("t", DECIDED, "one")
    await second.note("t", DECIDED, "two")
    await first.note("t", DECIDED, "three")
    kept = (await open_notebook(swarm, "run-1", "coder-1")).window.notes
    assert {note.text for note in kept} == {"one", "two", "three"}


async def test_what_is_no_window_is_overwritten(swarm: Swarm) -> None:
    bucket = await open_key_value(swarm.bus.js, MEMORY_BUCKET, servers="")
    await bucket.put(notebook_key("run-1", "coder-1"), b"{rubbish")
    notebook = await open_notebook(swarm, "run-1", "coder-1")
    await notebook.note("t", DECIDED, "anew")
    again = await open_notebook(swarm, "run-1", "coder-1")
    assert [note.text for note in again.window.notes] == ["anew"]


async def test_notes_stay_in_the_process_while_the_bus_is_away(
    swarm: Swarm, nats_server: NatsServer
) -> None:
    notebook = await open_notebook(swarm, "run-1", "coder-1")
    nats_server.kill()
    await notebook.note("t", DECIDED, "kept here")
    assert [note.text for note in notebook.window.notes] == ["kept here"]


async def test_agent_user_keeps_its_own_notes(
    nats_server_with_users: NatsServer, tmp_path: Path
) -> None:
    async with open_nats(nats_server_with_users.url_of("operator"), name="test") as client:
        await declare(client.jetstream())
        await declare_memory_bucket(client.jetstream())
    async with swarm_at(nats_server_with_users.url_of("agent"), tmp_path / "home") as swarm:
        await (await open_notebook(swarm, "run-1", "Coder 1")).note("t", DECIDED, "mine")
        again = await open_notebook(swarm, "run-1", "Coder 1")
        assert [note.text for note in again.window.notes] == ["mine"]
