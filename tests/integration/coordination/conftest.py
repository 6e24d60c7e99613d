"""Agents on a real nats-server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.servers import NatsServer
from tests.support.sharing import Team, team_at


@pytest.fixture
async def team(nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[Team]:
    async with team_at(nats_server, tmp_path / "home") as team:
        yield team
