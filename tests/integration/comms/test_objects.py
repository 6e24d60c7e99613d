"""Content under its digest, on the object store of a real nats-server."""

import asyncio
import os
from hashlib import sha256

import pytest

from nervous_system.comms.connection import BusClient
from nervous_system.comms.objects import BusContentStore
from nervous_system.comms.streams import CONTENT_BUCKET, declare_content_bucket
from nervous_system.errors import BusUnavailableError, ContentMissingError
from tests.support.bus import SMALL_STREAM_BYTES
from tests.support.servers import NatsServer


@pytest.fixture
async def content(client: BusClient, nats_server: NatsServer) -> BusContentStore:
    jetstream = client.jetstream()
    for _ in range(2):
        await declare_content_bucket(jetstream, max_bytes=SMALL_STREAM_BYTES)
    return BusContentStore(jetstream, servers=nats_server.url, client=client)


@pytest.mark.parametrize("size", [0, 1, 128 * 1024, 20_000_000])
async def test_content_comes_back_bit_by_bit(content: BusContentStore, size: int) -> None:
    written = os.urandom(size)
    digest = await content.put(written)
    assert digest == sha256(written).hexdigest()
    assert await content.get(digest) == written


async def test_content_is_kept_once(client: BusClient, content: BusContentStore) -> None:
    written = os.urandom(300_000)
    digest = await content.put(written)
    before = (await client.jetstream().stream_info(f"OBJ_{CONTENT_BUCKET}")).state.last_seq
    assert await content.put(written) == digest
    after = (await client.jetstream().stream_info(f"OBJ_{CONTENT_BUCKET}")).state.last_seq
    assert before == after
    assert [one async for one in content.digests()] == [digest]


async def test_many_contents_are_stored_together(
    client: BusClient, content: BusContentStore
) -> None:
    """Small, empty, large, alike and known ones; each is there once, under its own digest."""
    jetstream = client.jetstream()
    known = os.urandom(100)
    await content.put(known)
    large = os.urandom(300_000)
    written = [b"", known, large, *(os.urandom(50) for _ in range(1_100)), known]
    before = (await jetstream.stream_info(f"OBJ_{CONTENT_BUCKET}")).state.messages
    assert await content.put_all(written) == [sha256(one).hexdigest() for one in written]
    after = (await jetstream.stream_info(f"OBJ_{CONTENT_BUCKET}")).state.messages
    assert after - before == 2 * 1_100 + 1 + 4
    assert {one async for one in content.digests()} == {sha256(one).hexdigest() for one in written}
    for one in written[:10]:
        assert await content.get(sha256(one).hexdigest()) == one
    await content.put_all(written)
    assert (await jetstream.stream_info(f"OBJ_{CONTENT_BUCKET}")).state.messages == after


async def test_removed_contents_can_be_stored_together_again(
    client: BusClient, content: BusContentStore
) -> None:
    """A name that was used before has one description, the newest."""
    digests = await content.put_all([b"one", b"two"])
    await content.remove(digests[0])
    assert await content.put_all([b"one", b"two"]) == digests
    assert await content.get(digests[0]) == b"one"
    assert (await client.jetstream().stream_info(f"OBJ_{CONTENT_BUCKET}")).state.messages == 4


async def test_contents_are_stored_where_no_batches_are_taken(
    client: BusClient, nats_server: NatsServer
) -> None:
    """As in a bucket that was made by other means: one by one."""
    jetstream = client.jetstream()
    await jetstream.create_object_store("PLAIN")
    store = BusContentStore(jetstream, servers=nats_server.url, bucket="PLAIN", client=client)
    [digest, _] = await store.put_all([b"one", b"two"])
    assert await store.get(digest) == b"one"


async def test_bucket_of_before_takes_batches_once_declared_again(client: BusClient) -> None:
    jetstream = client.jetstream()
    await jetstream.create_object_store(CONTENT_BUCKET)
    await declare_content_bucket(jetstream, max_bytes=SMALL_STREAM_BYTES)
    assert (await jetstream.stream_info(f"OBJ_{CONTENT_BUCKET}")).config.allow_atomic


async def test_removed_content_is_missing_and_can_be_put_again(content: BusContentStore) -> None:
    digest = await content.put(b"content")
    for _ in range(2):
        await content.remove(digest)
    assert not await content.has(digest)
    assert [one async for one in content.digests()] == []
    with pytest.raises(ContentMissingError):
        await content.get(digest)
    assert await content.put(b"content") == digest
    assert await content.get(digest) == b"content"


async def test_content_under_a_wrong_name_is_not_handed_out(
    client: BusClient, content: BusContentStore
) -> None:
    store = await client.jetstream().object_store(CONTENT_BUCKET)
    digest = sha256(b"right").hexdigest()
    await store.put(digest, b"wrong")
    with pytest.raises(ContentMissingError):
        await content.get(digest)


async def test_fetch_of_content_that_is_removed_meanwhile_ends(
    client: BusClient, content: BusContentStore
) -> None:
    """Its pieces are gone first; what has not come yet never will."""
    digest = await content.put(os.urandom(300_000))
    await client.jetstream().purge_stream(
        f"OBJ_{CONTENT_BUCKET}", subject=f"$O.{CONTENT_BUCKET}.C.>"
    )
    getting = asyncio.ensure_future(content.get(digest))
    await asyncio.sleep(0)
    await content.remove(digest)
    with pytest.raises(ContentMissingError):
        await getting


async def test_fetching_leaves_no_consumer_behind(
    client: BusClient, content: BusContentStore
) -> None:
    """A server takes a thousand of them, and history fetches all contents of a run at once."""
    digest = await content.put(b"content")
    assert await content.get(digest) == b"content"
    info = await client.jetstream().stream_info(f"OBJ_{CONTENT_BUCKET}")
    assert info.state.consumer_count == 0


async def test_missing_bucket_is_named(client: BusClient, nats_server: NatsServer) -> None:
    store = BusContentStore(client.jetstream(), servers=nats_server.url, bucket="NONE")
    with pytest.raises(BusUnavailableError, match="NONE"):
        await store.put(b"x")
