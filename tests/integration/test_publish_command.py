"""`swarm publish` where the bus refuses: nothing is lost, and going on repeats nothing."""

import asyncio
import json
from pathlib import Path

import pytest
from nats.js import api

from cortex.cli.main import run
from nervous_system.comms.connection import open_nats
from tests.support.servers import NatsServer

ROOM = 3


async def declare(url: str) -> None:
    async with open_nats(url, name="test") as client:
        await client.jetstream().add_stream(
            api.StreamConfig(
                name="ENCHANTED_SWARM",
                subjects=["swarm.events.>"],
                max_msgs=ROOM,
                discard=api.DiscardPolicy.NEW,
                allow_atomic=True,
            )
        )


def test_events_without_an_ack_are_kept_under_the_ids_they_were_sent_with(
    nats_server: NatsServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ids that the command made must survive it, or another try would store events twice."""
    asyncio.run(declare(nats_server.url))
    file = tmp_path / "events.jsonl"
    file.write_text('{"systemSignal": {"status": "HEALTHY"}}\n' * 5)
    environment = {"SWARM_NATS_URL": nats_server.url, "SWARM_HOME": str(tmp_path / "home")}
    assert run(["publish", str(file), "--timeout", "3"], environment) == 1
    error = capsys.readouterr().err
    (left,) = (tmp_path / "home").glob("unpublished-*.jsonl")
    kept = [json.loads(line) for line in left.read_text().splitlines()]
    assert f"{len(kept)} of 5 events without an ack" in error
    assert str(left) in error
    assert len(kept) == 5 - ROOM
    assert all(event["eventId"] and event["timestamp"] for event in kept)
