"""What keeps an ingestor from starting is said in one sentence that names the way out."""

import asyncio
import socket
from pathlib import Path

import pytest

from infrastructure.errors import MissingSchemaError, PortTakenError
from infrastructure.history.client import open_history
from infrastructure.history.config import HistoryConfig
from infrastructure.ingestor.appending import Appender
from infrastructure.ingestor.config import IngestorConfig
from infrastructure.ingestor.service import IngestorService
from infrastructure.intake.config import IntakeConfig
from infrastructure.intake.service import run_intake
from nervous_system.comms.streams import EVENTS_STREAM


async def test_a_port_of_health_that_is_taken_is_named_with_its_variable(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        config = IngestorConfig.from_env(
            {
                "SWARM_CLICKHOUSE_DSN": f"chdb://{tmp_path / 'history'}",
                "SWARM_INGESTOR_PORT": str(port),
            }
        )
        with pytest.raises(PortTakenError, match=f"{port}.*SWARM_INGESTOR_PORT"):
            await IngestorService(config).run(asyncio.Event())


async def test_a_port_of_the_intake_that_is_taken_is_named_with_its_variable(
    nats_url: str, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        config = IntakeConfig.from_env(
            {
                "SWARM_NATS_URL": nats_url,
                "SWARM_CLICKHOUSE_DSN": f"chdb://{tmp_path / 'history'}",
                "SWARM_OTLP_PORT": str(port),
            }
        )
        with pytest.raises(PortTakenError, match=f"{port}.*SWARM_OTLP_PORT"):
            await run_intake(config, asyncio.Event())


async def test_a_history_without_tables_is_told_from_an_empty_one(history_dsn: str) -> None:
    with open_history(HistoryConfig(dsn=history_dsn)) as client:
        client.command("drop database if exists swarm")
        with pytest.raises(MissingSchemaError, match=r"infrastructure\.stack\.setup"):
            await Appender(client, EVENTS_STREAM).state()
