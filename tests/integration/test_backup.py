"""Backups of a home with real servers: what is copied opens, and is what was there."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infrastructure.backup.check import check_copy
from infrastructure.backup.home_copy import (
    BackupReport,
    _judge,
    back_up_running,
    back_up_stopped,
)
from infrastructure.backup.store_server import open_store
from infrastructure.errors import BackupError
from infrastructure.history.client import open_history
from infrastructure.history.config import HistoryConfig
from nervous_system.comms.connection import open_nats
from nervous_system.comms.objects import BusContentStore
from nervous_system.comms.streams import (
    declare_content_bucket,
    declare_streams,
    stream_identity,
    swarm_streams,
)
from nervous_system.errors import BusUnavailableError
from tests.support.home import RunningHome, running_home

COLUMNS = ["stream", "stream_seq", "raw", "ledger_prev", "ledger_root", "ledger_count"]
CONTENT = b"content" * 100_000
EVENT_COUNT = 3_000


def quietly(_: str) -> None:
    """Nobody watches."""


@pytest.fixture
def filled_home(tmp_path: Path) -> Iterator[RunningHome]:
    with running_home(tmp_path / "home") as running:
        asyncio.run(fill_bus(running.nats_url))
        fill_history(running.writer_dsn)
        (running.home.root / "swarm.json").write_text("{}")
        yield running


async def fill_bus(url: str) -> None:
    async with open_nats(url, name="test") as client:
        jetstream = client.jetstream()
        await declare_streams(jetstream, swarm_streams(max_bytes=10**9))
        await declare_content_bucket(jetstream, max_bytes=10**8)
        await BusContentStore(jetstream, servers=url).put(CONTENT)
        for number in range(EVENT_COUNT):
            await jetstream.publish_async("swarm.events.coder.decision", number.to_bytes(2000))
        await jetstream.publish_async_completed()


def fill_history(dsn: str) -> None:
    with open_history(HistoryConfig(dsn=dsn)) as history:
        for last in (10, 20, 30):
            rows = [["ENCHANTED_SWARM", n, b"raw", b"", b"", 0] for n in range(last - 9, last)]
            link = [last.to_bytes(32), (last + 10).to_bytes(32)]
            rows.append(["ENCHANTED_SWARM", last, b"raw", *link, 10])
            history.insert_rows("swarm.events", COLUMNS, rows)


async def back_up(running: RunningHome, target: Path) -> BackupReport:
    async with open_nats(running.nats_url, name="test") as client:
        with open_history(HistoryConfig(dsn=running.writer_dsn)) as history:
            return await back_up_running(running.home, target, client, history, quietly)


async def identity(url: str, stream: str) -> str:
    async with open_nats(url, name="test") as client:
        return stream_identity(await client.jetstream().stream_info(stream))


async def test_a_copy_of_a_running_home_holds_streams_content_and_history(
    filled_home: RunningHome, tmp_path: Path
) -> None:
    """Identities stay, or history would not belong to its stream any more."""
    report = await back_up(filled_home, tmp_path / "copy")
    streams = {one.stream: one for one in report.streams}
    assert streams["ENCHANTED_SWARM"].messages == EVENT_COUNT
    assert streams["ENCHANTED_SWARM"].identity == await identity(
        filled_home.nats_url, "ENCHANTED_SWARM"
    )
    assert streams["OBJ_SWARM_CONTENT"].messages > 1
    assert [one.head for one in report.history.streams] == [f"ENCHANTED_SWARM@30:{40:064x}"]
    assert (tmp_path / "copy" / "credentials.json").stat().st_mode & 0o077 == 0
    assert (tmp_path / "copy" / "swarm.json").exists()
    assert not (tmp_path / "copy" / "stack.json").exists()


OF_AGENTS = {
    "project.json": "{}",
    "coordination/web/coder-1.json": '{"build": {"token": 7}}',
    "redaction.json": "[]",
    "redaction.key": "k" * 32,
    "hooks/pending": "kept by a hook",
    "hooks/installed.json": "{}",
    "policies/safe.yaml": "rules: []",
}


async def test_a_copy_holds_what_agents_have_in_the_home(
    filled_home: RunningHome, tmp_path: Path
) -> None:
    """Names, tokens of claims, patterns and the key of redaction, what hooks have kept."""
    for name, text in OF_AGENTS.items():
        path = filled_home.home.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    await back_up(filled_home, tmp_path / "copy")
    assert {name: (tmp_path / "copy" / name).read_text() for name in OF_AGENTS} == OF_AGENTS


async def test_nothing_is_left_behind_in_the_home(filled_home: RunningHome, tmp_path: Path) -> None:
    await back_up(filled_home, tmp_path / "copy")
    assert list((filled_home.home.history / "shadow").glob("*/")) == []
    assert set(os.listdir(tmp_path)) == {"copy", "home"}


async def test_nobody_else_can_read_what_is_being_copied(
    filled_home: RunningHome, tmp_path: Path
) -> None:
    """Snapshots hold every event and all content; the place of the copy may be open to all."""
    seen: dict[str, int] = {}

    def look(step: str) -> None:
        work = tmp_path / f".copy.{os.getpid()}"
        seen[step] = work.stat().st_mode & 0o077

    async with open_nats(filled_home.nats_url, name="test") as client:
        with open_history(HistoryConfig(dsn=filled_home.writer_dsn)) as history:
            await back_up_running(filled_home.home, tmp_path / "copy", client, history, look)
    assert "putting streams back" in seen
    assert set(seen.values()) == {0}


async def test_server_on_a_copied_store_lets_nobody_else_in(tmp_path: Path) -> None:
    """Any process of the machine can reach its port."""
    async with open_store(tmp_path / "store", tmp_path / "scratch") as client:
        assert client.connected_url is not None
        stranger = f"nats://127.0.0.1:{client.connected_url.port}"
        with pytest.raises(BusUnavailableError):
            async with open_nats(stranger, name="stranger", timeout=1):
                pass
        await client.jetstream().account_info()


async def test_a_copy_of_a_copy_that_was_started_is_the_same(
    filled_home: RunningHome, tmp_path: Path
) -> None:
    """The restore test: servers start from the copy, and what they hold is what was there."""
    first = await back_up(filled_home, tmp_path / "copy")
    with running_home(tmp_path / "copy") as restarted:
        async with open_nats(restarted.nats_url, name="test") as client:
            content = BusContentStore(client.jetstream(), servers="")
            assert await content.get(await anext(content.digests())) == CONTENT
        second = await back_up(restarted, tmp_path / "again")
    assert second.streams == first.streams
    assert second.history == first.history


async def test_a_home_that_is_down_is_copied_too(tmp_path: Path) -> None:
    with running_home(tmp_path / "home") as running:
        await fill_bus(running.nats_url)
        await asyncio.to_thread(fill_history, running.writer_dsn)
    report = await back_up_stopped(running.home, tmp_path / "copy", quietly)
    assert {one.stream: one.messages for one in report.streams}["ENCHANTED_SWARM"] == EVENT_COUNT
    assert report.history.streams[0].event_count == 30


async def test_a_directory_in_use_is_left_alone(filled_home: RunningHome, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("keep")
    with pytest.raises(BackupError, match="exists and is not empty"):
        await back_up(filled_home, tmp_path / "mine")
    with pytest.raises(BackupError, match="inside the home"):
        await back_up(filled_home, filled_home.home.root / "copy")
    assert (tmp_path / "mine" / "file").read_text() == "keep"


async def test_a_damaged_part_is_found_in_the_copy(
    filled_home: RunningHome, tmp_path: Path
) -> None:
    await back_up(filled_home, tmp_path / "copy")
    for part in (tmp_path / "copy" / "history" / "store").rglob("data.bin"):
        content = bytearray(part.read_bytes())
        content[len(content) // 2] ^= 0xFF
        part.write_bytes(content)
    found = await asyncio.to_thread(check_copy, tmp_path / "copy" / "history")
    assert "events" in found.damaged_tables


async def test_a_copy_that_could_not_take_over_does_not_count(
    filled_home: RunningHome, tmp_path: Path
) -> None:
    report = await back_up(filled_home, tmp_path / "copy")
    held = report.history.streams[0]
    ahead = replace(held, last_seq=EVENT_COUNT + 1, is_whole=False)
    worse = replace(report.history, streams=(ahead,), damaged_tables=("blobs",), ledger_breaks=1)
    with pytest.raises(BackupError) as caught:
        _judge(replace(report, history=worse))
    assert caught.value.reason == (
        "table blobs is damaged; its ledger breaks 1 times; "
        "history of ENCHANTED_SWARM ends inside a batch; "
        "history of ENCHANTED_SWARM is ahead of the stream"
    )
