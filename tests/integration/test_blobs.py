"""Content in history: once, whole, and moved off the bus only when it is there."""

import asyncio
import os
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256

import pytest

from infrastructure.history.blobs import (
    CHUNK_BYTES,
    GROUP_CHUNKS,
    Blobs,
    drain_content,
    move_content,
)
from infrastructure.history.client import HistoryClient, open_history
from infrastructure.history.config import HistoryConfig
from infrastructure.history.migrate import migrate
from nervous_system.comms.connection import open_nats
from nervous_system.comms.objects import BusContentStore
from nervous_system.comms.streams import declare_content_bucket
from nervous_system.errors import ContentMissingError
from tests.support.eventually import eventually


@pytest.fixture
def client(history_dsn: str) -> Iterator[HistoryClient]:
    with open_history(HistoryConfig(dsn=history_dsn)) as opened:
        migrate(opened)
        yield opened


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        bytes(range(256)) * 5,
        b"\xff" * CHUNK_BYTES,
        b"\x00\n'\\" * (CHUNK_BYTES // 2),
        b"0123456789abcdef" * (CHUNK_BYTES // 16 * (GROUP_CHUNKS + 1)) + b"end",
    ],
    ids=["empty", "one byte", "every byte", "one chunk", "two chunks", "two groups"],
)
def test_content_comes_back_bit_for_bit(client: HistoryClient, content: bytes) -> None:
    blobs = Blobs(client)
    digest = blobs.put(content)
    assert digest == sha256(content).hexdigest()
    assert blobs.get(digest) == content
    assert blobs.exists(digest)
    assert blobs.verify(digest)


def test_content_is_stored_once(client: HistoryClient) -> None:
    blobs = Blobs(client)
    blobs.put(b"same")
    blobs.put(b"same")
    assert client.query("select count() as n from swarm.blobs") == [{"n": 1}]


def test_content_that_is_not_whole_is_missing(client: HistoryClient) -> None:
    blobs = Blobs(client)
    digest = blobs.put(b"a" * (2 * CHUNK_BYTES))
    client.command("alter table swarm.blobs delete where chunk = 1 settings mutations_sync = 2")
    assert not blobs.exists(digest)
    assert not blobs.verify(digest)
    with pytest.raises(ContentMissingError):
        blobs.get(digest)


def test_content_that_was_altered_is_not_given_out(client: HistoryClient) -> None:
    blobs = Blobs(client)
    digest = blobs.put(b"before")
    client.command(
        "alter table swarm.blobs update content = 'behind' where 1 settings mutations_sync = 2"
    )
    assert not blobs.verify(digest)
    with pytest.raises(ContentMissingError):
        blobs.get(digest)


async def test_content_leaves_the_bus_once_history_has_it(
    client: HistoryClient, nats_url: str
) -> None:
    contents = [b"", b"l" * (3 * CHUNK_BYTES), *(b"small %d" % n for n in range(150))]
    stop = asyncio.Event()
    async with open_nats(nats_url, name="test") as connection:
        jetstream = connection.jetstream()
        await jetstream.create_object_store("SWARM_CONTENT")
        store = BusContentStore(jetstream, servers=nats_url)
        digests = [await store.put(content) for content in contents]
        draining = asyncio.create_task(
            drain_content(store, client, stop, pause=timedelta(milliseconds=20))
        )

        async def is_empty() -> bool:
            return [digest async for digest in store.digests()] == []

        await eventually(is_empty)
        stop.set()
        await draining
    blobs = Blobs(client)
    assert [await asyncio.to_thread(blobs.get, digest) for digest in digests] == contents


async def test_history_grows_with_unique_bytes(client: HistoryClient, nats_url: str) -> None:
    """However often contents are sent; the bus keeps none of them."""
    contents = [os.urandom(4_000) for _ in range(300)] + [os.urandom(2 * CHUNK_BYTES)]
    async with open_nats(nats_url, name="test") as connection:
        jetstream = connection.jetstream()
        await declare_content_bucket(jetstream, max_bytes=64 * CHUNK_BYTES)
        store = BusContentStore(jetstream, servers=nats_url, client=connection)
        for _ in range(3):
            await store.put_all(contents)
            await store.put_all(contents)
            assert await move_content(store, Blobs(client)) == len(contents)
        state = (await jetstream.stream_info("OBJ_SWARM_CONTENT")).state
    unique = sum(map(len, contents))
    [kept] = client.query(
        "select sum(bytes_on_disk) as bytes from system.parts where active and table = 'blobs'"
    )
    assert unique < int(kept["bytes"]) <= 1.1 * unique
    assert state.bytes < 0.1 * unique


def test_many_contents_are_one_part(client: HistoryClient) -> None:
    blobs = Blobs(client)
    contents = [b"content %d" % number for number in range(300)]
    blobs.put_small(contents)
    parts = client.query("select count() as n from system.parts where active and table = 'blobs'")
    assert parts[0]["n"] == 1
    digests = [sha256(content).hexdigest() for content in contents]
    assert blobs.verified([*digests, "0" * 64]) == set(digests)


async def test_damaged_content_is_replaced_by_the_copy_on_the_bus(
    client: HistoryClient, nats_url: str
) -> None:
    """Content was altered in history; the agent sends the same content again."""
    blobs = Blobs(client)
    digest = blobs.put(b"before")
    client.command(
        "alter table swarm.blobs update content = 'behind' where 1 settings mutations_sync = 2"
    )
    async with open_nats(nats_url, name="test") as connection:
        jetstream = connection.jetstream()
        await jetstream.create_object_store("SWARM_CONTENT")
        store = BusContentStore(jetstream, servers=nats_url)
        await store.put(b"before")
        assert await move_content(store, blobs) == 1
    assert blobs.get(digest) == b"before"
