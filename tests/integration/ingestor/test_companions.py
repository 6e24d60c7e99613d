"""What stands beside the ingestor may fail; events go on into history, and readiness says so."""

import asyncio
import socket
from pathlib import Path

from infrastructure.history.client import open_history
from infrastructure.history.config import HistoryConfig
from infrastructure.ingestor.companions import Companions
from infrastructure.ingestor.service import IngestorService
from infrastructure.intake.service import intake_companions
from tests.support.builders import build_event
from tests.support.eventually import eventually
from tests.support.ingesting import ingested, ingestor_config, open_streams, put
from tests.support.owner import running_owner
from tests.support.servers import NatsServer


async def test_a_taken_port_of_the_intake_leaves_the_ingestor_running_and_unready(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    stop = asyncio.Event()
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        running_owner(tmp_path / "home") as owner,
        open_history(HistoryConfig(dsn=owner.writer_dsn)) as history,
    ):
        port = other.getsockname()[1]
        kept = Companions(
            intake_companions(
                {
                    "SWARM_NATS_URL": nats_server.url,
                    "SWARM_CLICKHOUSE_DSN": owner.writer_dsn,
                    "SWARM_OTLP_PORT": str(port),
                }
            )
        )
        config = ingestor_config(nats_server, owner.writer_dsn)
        service = IngestorService(config, lambda: kept.problems)
        async with open_streams(nats_server) as jetstream, asyncio.TaskGroup() as group:
            group.create_task(kept.run(stop))
            group.create_task(service.run(stop))
            await eventually(lambda: bool(kept.problems))
            assert str(port) in kept.problems[0]
            last = await put(jetstream, [build_event().SerializeToString()])
            assert await ingested(history, last) == [1]
            assert not service.is_ready
            stop.set()


async def test_a_companion_that_fails_is_run_again_and_takes_no_other_with_it() -> None:
    stop, runs = asyncio.Event(), []

    async def failing(stop: asyncio.Event) -> None:
        del stop
        runs.append(1)
        raise ExceptionGroup("several", [KeyError("lost"), OSError("taken")])

    async def well(stop: asyncio.Event) -> None:
        await stop.wait()

    kept = Companions([failing, well])
    running = asyncio.create_task(kept.run(stop))
    await eventually(lambda: len(runs) == 2)
    assert kept.problems == ["'lost'; taken"]
    assert not running.done()
    stop.set()
    await running
