"""A plan of which half was submitted is gone on with, though the model would answer another one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from cortex.agents.running import Wanted, begin_job, work_on
from cortex.engine.runs import RunClient
from cortex.engine.tasks import Task
from nervous_system.comms.connection import open_nats
from nervous_system.comms.streams import declare_content_bucket, declare_memory_bucket
from nervous_system.errors import BusUnavailableError
from tests.support.bus import SMALL_STREAM_BYTES
from tests.support.coordinating import Party, party_at
from tests.support.eventually import eventually
from tests.support.openai_server import answer, running_openai_server
from tests.support.repositories import UserRepository
from tests.support.servers import NatsServer


def plan(*keys: str) -> dict[str, Any]:
    tasks = [{"key": key, "title": key, "why": "asked", "paths": [f"{key}.py"]} for key in keys]
    return {"tasks": tasks, "rationale": "a file each", "confidence": 1}


@pytest.fixture
async def party(nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[Party]:
    async with party_at(nats_server, tmp_path / "home") as party:
        async with open_nats(nats_server.url, name="declare") as client:
            await declare_content_bucket(client.jetstream(), max_bytes=SMALL_STREAM_BYTES)
            await declare_memory_bucket(client.jetstream(), max_bytes=SMALL_STREAM_BYTES)
        yield party


async def test_half_submitted_plan_is_gone_on_with(
    party: Party, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bus goes away behind the first task; the second attempt adds the rest of that plan."""
    submit = RunClient.submit
    is_away = True

    async def submit_half(self: RunClient, tasks: Sequence[Task]) -> None:
        nonlocal is_away
        if is_away and tasks[0].task_id == "a":
            is_away = False
            await submit(self, tasks[:1])
            raise BusUnavailableError(servers="test", reason="away")
        await submit(self, tasks)

    monkeypatch.setattr(RunClient, "submit", submit_half)
    user = UserRepository(tmp_path / "user")
    user.commit({"a.py": "A = 1\n"})
    replies = [answer(plan("a", "b")), answer(plan("c", "d"))]
    async with running_openai_server(replies) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        wanted = Wanted(task="greet", repository=user.root, model="openai:test")
        job = await begin_job(party.swarm, party.runs, "test", wanted)
        stop = asyncio.Event()
        working = asyncio.create_task(work_on(party.swarm, party.coordination, job.run_id, 0, stop))

        async def is_planned() -> bool:
            return (await party.runs.view(job.run_id)).is_planned

        await eventually(is_planned)
        stop.set()
        state = await working
    assert set(state.tasks) == {"plan", "a", "b"}
    assert not is_away
    assert len(server.requests) == 1
