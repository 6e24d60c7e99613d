"""A nats-server of its own on a copied store: puts streams back and shows that they open."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from infrastructure.errors import BackupError
from infrastructure.stack.nats_config import NatsServerConfig, render
from infrastructure.stack.plan import nats_server_binary
from nervous_system.comms.connection import BusClient, open_nats

START_SECONDS = 60.0
STOP_SECONDS = 60.0
POLL_SECONDS = 0.02


@asynccontextmanager
async def open_store(store: Path, scratch: Path) -> AsyncIterator[BusClient]:
    """Start a server on `store`, on a free port of the loopback; it has ended when the block ends.

    Raises:
        BackupError: it does not start.
    """
    ports = scratch / "ports"
    shutil.rmtree(ports, ignore_errors=True)
    ports.mkdir(parents=True)
    config = scratch / "nats-server.conf"
    config.write_text(render(NatsServerConfig(store=store, ports_directory=ports)), "utf-8")
    log = scratch / "nats-server.log"
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            nats_server_binary(), "-c", str(config), stdout=subprocess.DEVNULL, stderr=errors
        )
    try:
        url = await _url(process, ports, log)
        async with open_nats(url, name="swarm-backup", timeout=START_SECONDS) as client:
            yield client
    finally:
        await asyncio.shield(_stop(process))


async def _url(process: asyncio.subprocess.Process, ports: Path, log: Path) -> str:
    with suppress(TimeoutError):
        async with asyncio.timeout(START_SECONDS):
            while process.returncode is None:
                if url := _announced(ports):
                    return url
                await asyncio.sleep(POLL_SECONDS)
    raise BackupError(
        directory=str(log.parent), reason=f"the copied streams do not open: {_last_line(log)}"
    )


def _announced(ports: Path) -> str:
    """Return the URL that the server has written down, or nothing yet."""
    for file in ports.glob("*.ports"):
        with suppress(ValueError):  # half written
            return str(json.loads(file.read_text("utf-8"))["nats"][0])
    return ""


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "no reason given"


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
