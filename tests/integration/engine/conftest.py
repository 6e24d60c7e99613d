"""A party on a real nats-server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.coordinating import Party, party_at
from tests.support.servers import NatsServer


@pytest.fixture
async def party(nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[Party]:
    async with party_at(nats_server, tmp_path / "home") as party:
        yield party
