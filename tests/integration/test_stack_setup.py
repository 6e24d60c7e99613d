"""What containers run once, against a real bus and a real engine."""

import asyncio

import nats
import pytest
from clickhouse_connect.driver.client import Client

from infrastructure.stack.setup import set_up
from nervous_system.errors import ConfigError
from tests.support.servers import NatsServer


async def test_streams_and_schema_are_there_after_set_up(
    nats_server_with_users: NatsServer, history_dsn: str, chdb_engine: Client
) -> None:
    """Doing it again changes nothing."""
    environment = {
        "SWARM_NATS_URL": nats_server_with_users.url,
        "SWARM_CLICKHOUSE_DSN": history_dsn,
        "SWARM_STREAM_BYTES": str(1 << 28),
        "SWARM_STREAM_DUPLICATE_SECONDS": "300",
    }
    for _ in range(2):
        await asyncio.to_thread(set_up, environment)
        async with await nats.connect(nats_server_with_users.url) as client:
            streams = {info.config.name: info for info in await client.jetstream().streams_info()}
        assert {"ENCHANTED_SWARM", "SWARM_CHECKPOINTS", "OBJ_SWARM_CONTENT"} <= set(streams)
        assert streams["ENCHANTED_SWARM"].config.max_bytes == 1 << 28
        assert streams["ENCHANTED_SWARM"].config.duplicate_window == 300
        tables = {row[0] for row in chdb_engine.query("show tables from swarm").result_rows}
        assert {"events", "migrations"} <= tables


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"SWARM_NATS_URL": "nats://127.0.0.1:1"},
        {"SWARM_NATS_URL": "nats://127.0.0.1:1", "SWARM_STREAM_REPLICAS": "2"},
        {"SWARM_NATS_URL": "nats://127.0.0.1:1", "SWARM_STREAM_REPLICAS": "x"},
        {"SWARM_NATS_URL": "nats://127.0.0.1:1", "SWARM_STREAM_BYTES": "0"},
        {"SWARM_NATS_URL": "nats://127.0.0.1:1", "SWARM_STREAM_DUPLICATE_SECONDS": "0"},
    ],
)
def test_missing_and_wrong_settings_are_named(environment: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="SWARM_"):
        set_up(environment)
