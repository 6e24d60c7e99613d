"""Workers have the rights of agents: enough for their work, under their own names only."""

from pathlib import Path

import pytest

from cortex.engine.state_machine import RunPhase
from nervous_system.errors import PublishRejectedError
from tests.support.coordinating import party_at, task
from tests.support.servers import NatsServer


async def test_worker_needs_no_more_than_an_agents_rights(
    nats_server_with_users: NatsServer, tmp_path: Path
) -> None:
    server = nats_server_with_users
    async with (
        party_at(server, tmp_path / "home") as operator,
        party_at(server, tmp_path / "home2", server.url_of("agent")) as agents,
    ):
        await operator.orchestrator()
        await agents.worker()
        await operator.run(task("t1"), task("t2"))
        assert (await operator.end_of()).phase is RunPhase.SUCCEEDED


async def test_agent_bound_to_its_name_cannot_write_under_another(
    tmp_path: Path, nats_server_with_users: NatsServer
) -> None:
    server = nats_server_with_users
    server.passwords["team"] = "team"
    server.agents = {"agent": ["*"], "team": ["worker-1"]}
    server.stop()
    server.start()
    async with (
        party_at(server, tmp_path / "home") as operator,
        party_at(server, tmp_path / "home2", server.url_of("team")) as team,
    ):
        await operator.orchestrator()
        await team.worker(name="worker-1")
        await operator.run(task())
        assert (await operator.end_of()).phase is RunPhase.SUCCEEDED
        with pytest.raises(PublishRejectedError, match="permissions violation"):
            await team.runs.create({}, run_id="r2")
