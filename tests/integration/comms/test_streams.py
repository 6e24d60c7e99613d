"""Declaring streams on a real nats-server."""

import asyncio

import pytest
from nats.js import api

from nervous_system.comms.connection import open_nats
from nervous_system.comms.streams import (
    StreamConfig,
    declare_stream,
    declare_streams,
    stream_identity,
    swarm_streams,
)
from nervous_system.errors import StreamMismatchError
from tests.support.bus import SMALL_STREAM_BYTES

CONFIG = StreamConfig(name="S", subjects=("s.>",), max_bytes=10**6)


async def test_declaring_twice_changes_nothing(nats_url: str) -> None:
    async with open_nats(nats_url, name="test") as client:
        jetstream = client.jetstream()
        streams = swarm_streams(max_bytes=SMALL_STREAM_BYTES)
        first = await declare_streams(jetstream, streams)
        second = await declare_streams(jetstream, streams)
    assert sorted(first) == [
        "ENCHANTED_SWARM",
        "SWARM_CHECKPOINTS",
        "SWARM_COORDINATION",
        "SWARM_SPANS",
        "SWARM_TASKS",
    ]
    for name, info in first.items():
        assert stream_identity(info) == stream_identity(second[name])
        assert vars(info.config) == vars(second[name].config)


async def test_processes_that_declare_at_once_do_not_disturb_each_other(nats_url: str) -> None:
    async with open_nats(nats_url, name="test") as client:
        jetstream = client.jetstream()
        found = await asyncio.gather(*(declare_stream(jetstream, CONFIG) for _ in range(8)))
    assert len({stream_identity(one) for one in found}) == 1


async def test_stream_is_brought_in_line_and_keeps_what_is_not_declared(nats_url: str) -> None:
    async with open_nats(nats_url, name="test") as client:
        jetstream = client.jetstream()
        await jetstream.add_stream(name="S", subjects=["old.>"], description="mine")
        info = await declare_stream(jetstream, CONFIG)
    assert info.config.subjects == ["s.>"]
    assert info.config.allow_atomic
    assert info.config.description == "mine"


async def test_conflict_is_refused_with_both_values(nats_url: str) -> None:
    async with open_nats(nats_url, name="test") as client:
        jetstream = client.jetstream()
        await jetstream.add_stream(
            name="S", subjects=["s.>"], storage=api.StorageType.MEMORY, max_bytes=5
        )
        with pytest.raises(StreamMismatchError) as caught:
            await declare_stream(jetstream, CONFIG)
        assert (await jetstream.stream_info("S")).config.max_bytes == 5
    assert caught.value.differences == {"storage": (api.StorageType.FILE, api.StorageType.MEMORY)}


async def test_stream_made_anew_is_another_one(nats_url: str) -> None:
    async with open_nats(nats_url, name="test") as client:
        jetstream = client.jetstream()
        first = stream_identity(await declare_stream(jetstream, CONFIG))
        await jetstream.delete_stream("S")
        assert stream_identity(await declare_stream(jetstream, CONFIG)) != first
