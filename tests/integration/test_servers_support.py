"""The servers that the suite stands on behave as the fixtures promise."""

import asyncio

import nats
from clickhouse_connect.driver.client import Client

from tests.support.builders import build_event, subject_of
from tests.support.servers import NatsServer


async def test_acked_message_survives_kill_and_restart_on_the_same_port(
    nats_server: NatsServer,
) -> None:
    """The fixture's server keeps its store and its port over SIGKILL."""
    event = build_event()
    async with await nats.connect(nats_server.url) as client:
        js = client.jetstream()
        await js.add_stream(name="S", subjects=["swarm.events.>"])
        await js.publish(subject_of(event), event.SerializeToString())
    url = nats_server.url
    nats_server.kill()
    nats_server.start()
    assert nats_server.url == url
    async with await nats.connect(url) as client:
        message = await client.jetstream().get_msg("S", 1)
    assert message.data == event.SerializeToString()


async def test_server_with_users_refuses_the_unknown(nats_server_with_users: NatsServer) -> None:
    """Every shipped user can connect; nobody else can."""
    for user in nats_server_with_users.passwords:
        async with await nats.connect(nats_server_with_users.url_of(user)) as client:
            assert client.is_connected
    reader, writer = await asyncio.open_connection("127.0.0.1", nats_server_with_users.port)
    writer.write(b"CONNECT {}\r\nPING\r\n")
    assert b"Authorization Violation" in await reader.read()
    writer.close()
    await writer.wait_closed()


def test_every_test_gets_an_empty_database(chdb_engine: Client, chdb_database: str) -> None:
    """Tables of one test are not seen by another."""
    chdb_engine.command(f"create table {chdb_database}.t (n UInt8) engine MergeTree order by n")
    chdb_engine.command(f"insert into {chdb_database}.t values (1), (2)")
    assert chdb_engine.query(f"select count() from {chdb_database}.t").result_rows == [(2,)]


def test_history_dsn_has_no_swarm_database(history_dsn: str, chdb_engine: Client) -> None:
    """Migrations start from nothing."""
    assert history_dsn.startswith("chdb:///")
    names = [row[0] for row in chdb_engine.query("show databases").result_rows]
    assert "swarm" not in names
