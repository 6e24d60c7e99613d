"""Key-value buckets on a real nats-server."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from nervous_system.comms.connection import BusClient
from nervous_system.comms.keyvalue import KeyEntry, KeyValueBucket, open_key_value
from nervous_system.errors import WrongRevisionError
from tests.support.servers import NatsServer


@pytest.fixture
async def bucket(client: BusClient, nats_server: NatsServer) -> KeyValueBucket:
    return await open_key_value(client.jetstream(), "TEST", servers=nats_server.url)


async def test_value_is_read_back_with_its_revision(bucket: KeyValueBucket) -> None:
    assert await bucket.get("a") is None
    revision = await bucket.put("a", b"1")
    assert await bucket.get("a") == KeyEntry(key="a", value=b"1", revision=revision)


async def test_one_of_many_rivals_wins(bucket: KeyValueBucket) -> None:
    outcomes = await asyncio.gather(
        *(bucket.compare_and_set("a", b"%d" % rival, 0) for rival in range(10)),
        return_exceptions=True,
    )
    winners = [rival for rival, one in enumerate(outcomes) if isinstance(one, int)]
    assert len(winners) == 1
    assert sum(isinstance(one, WrongRevisionError) for one in outcomes) == 9
    found = await bucket.get("a")
    assert found is not None
    assert found.value == b"%d" % winners[0]


async def test_write_at_an_old_revision_is_refused(bucket: KeyValueBucket) -> None:
    first = await bucket.put("a", b"1")
    await bucket.compare_and_set("a", b"2", first)
    with pytest.raises(WrongRevisionError, match="TEST/a"):
        await bucket.compare_and_set("a", b"3", first)
    with pytest.raises(WrongRevisionError):
        await bucket.remove("a", first)


async def test_removed_key_can_be_made_anew(bucket: KeyValueBucket) -> None:
    await bucket.remove("a", await bucket.put("a", b"1"))
    assert await bucket.get("a") is None
    await bucket.compare_and_set("a", b"2", 0)
    found = await bucket.get("a")
    assert found is not None
    assert found.value == b"2"


async def test_bucket_is_opened_again_with_what_it_holds(
    bucket: KeyValueBucket, client: BusClient, nats_server: NatsServer
) -> None:
    await bucket.put("a", b"1")
    again = await open_key_value(client.jetstream(), "TEST", servers=nats_server.url)
    assert await again.get("a") == await bucket.get("a")


async def test_watcher_sees_what_is_there_and_every_change(bucket: KeyValueBucket) -> None:
    await bucket.put("a", b"1")
    watching = bucket.watch()
    assert (await anext(watching)).value == b"1"
    following = asyncio.ensure_future(_take(watching, 2))
    await bucket.put("b", b"2")
    await bucket.remove("a")
    assert [(one.key, one.value) for one in await following] == [("b", b"2"), ("a", None)]
    await watching.aclose()  # type: ignore[attr-defined]


async def _take(watching: AsyncIterator[KeyEntry], count: int) -> list[KeyEntry]:
    return [await anext(watching) for _ in range(count)]
