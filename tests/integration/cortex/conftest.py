"""Fixtures of the tools' tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.servers import NatsServer
from tests.support.workbench import Workbench, open_workbench


@pytest.fixture
async def bench(nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[Workbench]:
    """An agent at work in an empty workspace, on a real bus."""
    async with open_workbench(nats_server, tmp_path / "bench") as opened:
        yield opened
