"""The three-server profile, formed by local processes from the very file that containers mount."""

import asyncio
import contextlib
import os
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig

from infrastructure.stack.config import DeclareConfig
from infrastructure.stack.declare import declare_all
from infrastructure.stack.http_probe import http_get
from infrastructure.stack.ports import any_free_port, is_port_free
from nervous_system.errors import BusUnavailableError
from tests.support.compose import NATS_FILES, environment_of, passwords
from tests.support.eventually import eventually, eventually_blocking
from tests.support.servers import nats_server_binary

NAMES = ("nats-1", "nats-2", "nats-3")
SUBJECT = "swarm.events.coder.decision.a"


class LocalCluster:
    """Three nats-servers on loopback; each differs from its container in addresses only."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self._directory = directory
        self._values = passwords()
        ports = distinct_free_ports(4 * len(NAMES))
        self._ports = {name: [ports.pop() for _ in range(4)] for name in NAMES}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        log = (self._directory / f"{name}.log").open("ab")
        with log:
            self.processes[name] = subprocess.Popen(
                [nats_server_binary() or "", "-c", NATS_FILES / "cluster.conf"],
                env={**os.environ, **self._environment(name)},
                stderr=log,
            )

    def stop_all(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()

    def has_started(self) -> bool:
        """Wait until all listen; False when one has ended, as it does without its port."""

        def listens_or_ended() -> bool:
            return self._has_ended() or all(
                not is_port_free(port) for ports in self._ports.values() for port in ports[:2]
            )

        eventually_blocking(listens_or_ended, timeout=20)
        return not self._has_ended()

    def _has_ended(self) -> bool:
        return any(process.poll() is not None for process in self.processes.values())

    def url(self, user: str, names: tuple[str, ...] = NAMES) -> str:
        password = self._values[f"SWARM_NATS_{user.upper()}_PASSWORD"]
        return ",".join(f"nats://{user}:{password}@127.0.0.1:{self._ports[n][0]}" for n in names)

    async def is_formed(self) -> bool:
        urls = [f"http://127.0.0.1:{self._ports[name][1]}/healthz" for name in NAMES]
        answers = await asyncio.gather(*(http_get(url, timeout=1) for url in urls))
        return all(answer is not None and answer.status == 200 for answer in answers)

    def _environment(self, name: str) -> dict[str, str]:
        client, monitor, websocket, route = self._ports[name]
        password = self._values["SWARM_NATS_ROUTE_PASSWORD"]
        routes = {
            f"SWARM_NATS_ROUTE_{number}": f"nats-route://route:{password}@127.0.0.1:{ports[3]}"
            for number, ports in enumerate(self._ports.values(), 1)
        }
        return {
            **environment_of(name, self._values),
            **routes,
            "SWARM_NATS_HOST": "127.0.0.1",
            "SWARM_NATS_PORT": str(client),
            "SWARM_NATS_MONITOR": f"127.0.0.1:{monitor}",
            "SWARM_NATS_WEBSOCKET_PORT": str(websocket),
            "SWARM_NATS_ROUTE_PORT": str(route),
            "SWARM_NATS_STORE": str(self._directory / name),
        }


def distinct_free_ports(count: int) -> set[int]:
    ports: set[int] = set()
    while len(ports) < count:
        ports.add(any_free_port())
    return ports


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LocalCluster]:
    """Where another process takes a port before its server does, all begin again on others."""
    for attempt in range(5):
        formed = LocalCluster(tmp_path / str(attempt))
        try:
            for name in NAMES:
                formed.start(name)
            if formed.has_started():
                yield formed
                return
        finally:
            formed.stop_all()
    pytest.fail("five times a port was taken before its server could listen")


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[Client]:
    async def ignore(_: Exception) -> None:
        """A server that is away is the point of this test."""

    client = await nats.connect(
        url.split(","), error_cb=ignore, reconnect_time_wait=0.1, max_reconnect_attempts=-1
    )
    try:
        yield client
    finally:
        await client.close()


async def publish_until_acked(client: Client, event_id: str) -> None:
    """The same message id until an ack comes, as publishers of the swarm do."""
    jetstream = client.jetstream()
    headers = {"Nats-Msg-Id": event_id}
    while True:
        with contextlib.suppress(nats.errors.Error, asyncio.TimeoutError):
            await jetstream.publish(SUBJECT, event_id.encode(), headers=headers, timeout=1)
            return
        await asyncio.sleep(0.05)  # no leader yet


async def is_declared(config: DeclareConfig) -> bool:
    with contextlib.suppress(BusUnavailableError):  # no leader yet
        await declare_all(config)
        return True
    return False


async def leader(client: Client) -> str:
    with contextlib.suppress(nats.errors.Error):  # no leader yet
        info = await client.jetstream().stream_info("ENCHANTED_SWARM")
        return (info.cluster and info.cluster.leader) or ""
    return ""


async def read_all(client: Client, count: int) -> list[str]:
    found: list[str] = []

    async def is_read() -> bool:
        found.clear()
        with contextlib.suppress(nats.errors.Error):  # a consumer whose leader is being elected
            found.extend(await read_once(client, count))
        return len(found) >= count

    await eventually(is_read, timeout=40)
    return found


async def read_once(client: Client, count: int) -> list[str]:
    config = ConsumerConfig(ack_policy=AckPolicy.NONE)
    jetstream = client.jetstream()
    subscription = await jetstream.pull_subscribe("", stream="ENCHANTED_SWARM", config=config)
    found: list[str] = []
    while len(found) < count:
        found += [message.data.decode() for message in await subscription.fetch(100, timeout=5)]
    return found


@pytest.mark.timeout(240)
async def test_cluster_keeps_accepting_and_delivering_while_one_server_is_killed(
    cluster: LocalCluster,
) -> None:
    """Every acked event is delivered exactly once; the server that died catches up."""
    await eventually(cluster.is_formed, timeout=60)
    operator = DeclareConfig(nats_url=cluster.url("operator"), replicas=3, max_bytes=1 << 28)
    await eventually(lambda: is_declared(operator), timeout=30)
    ids = [str(uuid.uuid4()) for _ in range(60)]
    async with connected(cluster.url("agent")) as client:
        for event_id in ids[:20]:
            await publish_until_acked(client, event_id)
        victim = await eventually(lambda: leader(client), timeout=30)
        cluster.processes[victim].kill()
        for event_id in ids[20:40]:
            await publish_until_acked(client, event_id)
        assert await read_all(client, 40) == ids[:40]
        cluster.processes[victim].wait()
        cluster.start(victim)
        for event_id in ids[40:]:
            await publish_until_acked(client, event_id)
    await eventually(cluster.is_formed, timeout=30)
    async with connected(cluster.url("agent", (victim,))) as client:
        assert await read_all(client, 60) == ids
