"""A nats-server of its own on a copied store: puts streams back and shows that they open."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from secrets import token_hex
from string import Template

from infrastructure.errors import BackupError
from infrastructure.stack.log_file import last_line
from infrastructure.stack.plan import nats_server_binary
from nervous_system.comms.connection import BusClient, open_nats

START_SECONDS = 60.0
STOP_SECONDS = 60.0
POLL_SECONDS = 0.02
_USER = "backup"
_CONFIG = Template("""\
host: 127.0.0.1
port: -1
ports_file_dir: $ports
authorization { user: $user, password: $password }
max_payload: 8MB
jetstream {
  store_dir: $store
  # the streams' own caps are theirs, not a claim on this disk
  max_file_store: 1000TB
}
""")
"""Unlike a stack's server this one need not sync each message: a copy counts when it is complete,
and is synced as a whole before."""


@asynccontextmanager
async def open_store(store: Path, scratch: Path) -> AsyncIterator[BusClient]:
    """Start a server on `store`, on a free port of the loopback; it has ended when the block ends.

    Only the client that is handed out can log in; the password lies in `scratch` meanwhile.

    Raises:
        BackupError: it does not start.
    """
    ports = scratch / "ports"
    shutil.rmtree(ports, ignore_errors=True)
    ports.mkdir(parents=True)
    password = token_hex(16)
    config = scratch / "nats-server.conf"
    config.write_text(_config(store, ports, password))
    log = scratch / "nats-server.log"
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            nats_server_binary(), "-c", str(config), stdout=subprocess.DEVNULL, stderr=errors
        )
    try:
        address = await _url(process, ports, log)
        url = address.replace("://", f"://{_USER}:{password}@", 1)
        async with open_nats(url, name="swarm-backup", timeout=START_SECONDS) as client:
            yield client
    finally:
        await asyncio.shield(_stop(process))


def _config(store: Path, ports: Path, password: str) -> str:
    return _CONFIG.substitute(
        store=json.dumps(str(store)),
        ports=json.dumps(str(ports)),
        user=json.dumps(_USER),
        password=json.dumps(password),
    )


async def _url(process: asyncio.subprocess.Process, ports: Path, log: Path) -> str:
    with suppress(TimeoutError):
        async with asyncio.timeout(START_SECONDS):
            while process.returncode is None:
                if url := _announced(ports):
                    return url
                await asyncio.sleep(POLL_SECONDS)
    why = last_line(log) or "no reason given"
    raise BackupError(directory=str(log.parent), reason=f"the copied streams do not open: {why}")


def _announced(ports: Path) -> str:
    """Return the URL that the server has written down, or nothing yet."""
    for file in ports.glob("*.ports"):
        with suppress(ValueError):  # half written
            return str(json.loads(file.read_text("utf-8"))["nats"][0])
    return ""


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
