"""Content on its way to the bus, with stores that answer as the port allows."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from nats.js.errors import APIError

from nervous_system import content as content_module
from nervous_system.content import ContentKeeper
from nervous_system.errors import BusError, BusUnavailableError, ContentMissingError
from tests.support.eventually import eventually

AWAY = BusUnavailableError(servers="s", reason="away")


class ScriptedStore:
    """A content store on the port's contract; refuses as long as it is told to."""

    def __init__(self, problem: Exception | None = None) -> None:
        self.problem = problem
        self.held: dict[str, bytes] = {}
        self.put_count = 0

    async def put(self, content: bytes) -> str:
        self.put_count += 1
        if self.problem is not None:
            raise self.problem
        digest = sha256(content).hexdigest()
        self.held[digest] = content
        return digest

    async def put_all(self, contents: Sequence[bytes]) -> list[str]:
        return [await self.put(content) for content in contents]

    async def get(self, digest: str) -> bytes:
        if digest not in self.held:
            raise ContentMissingError(digest=digest)
        return self.held[digest]


@asynccontextmanager
async def running(keeper: ContentKeeper) -> AsyncIterator[None]:
    task = asyncio.create_task(keeper.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.fixture(autouse=True)
def _short_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_module, "FIRST_RETRY_SECONDS", 0.01)


async def test_content_is_stored_once() -> None:
    store = ScriptedStore()
    keeper = ContentKeeper(store, None, 0)
    for _ in range(2):
        assert await keeper.keep(b"a", None, b"b", wait=None, timeout=1)
    assert (sorted(store.held.values()), store.put_count) == ([b"a", b"b"], 2)


@pytest.mark.parametrize("problem", [AWAY, APIError(code=500)])
async def test_content_waits_on_disk_and_is_sent_later(tmp_path: Path, problem: Exception) -> None:
    store = ScriptedStore(problem)
    keeper = ContentKeeper(store, tmp_path / "content", 10_000)
    async with running(keeper):
        assert await keeper.keep(b"a", wait=None, timeout=1)
        assert names(tmp_path / "content") == [sha256(b"a").hexdigest()]
        store.problem = None
        await keeper.drain(10)
    assert list(store.held.values()) == [b"a"]
    assert names(tmp_path / "content") == []


async def test_handed_over_content_does_not_wait_for_the_store(tmp_path: Path) -> None:
    store = ScriptedStore()
    keeper = ContentKeeper(store, tmp_path, 10_000)
    assert await keeper.keep(b"a", wait=False, timeout=1)
    assert store.put_count == 0


async def test_what_a_dead_process_left_is_sent_by_the_next(tmp_path: Path) -> None:
    await ContentKeeper(ScriptedStore(AWAY), tmp_path, 10_000).keep(b"a", wait=None, timeout=1)
    store = ScriptedStore()
    async with running(ContentKeeper(store, tmp_path, 10_000)):
        assert await eventually(lambda: list(store.held.values())) == [b"a"]


@pytest.mark.parametrize("problem", [AWAY, APIError(code=500)])
async def test_waiting_caller_gets_an_error_of_ours(tmp_path: Path, problem: Exception) -> None:
    keeper = ContentKeeper(ScriptedStore(problem), tmp_path, 10_000)
    with pytest.raises(BusError):
        await keeper.keep(b"a", wait=True, timeout=1)


async def test_store_that_does_not_answer_is_not_waited_for(tmp_path: Path) -> None:
    class Silent(ScriptedStore):
        async def put(self, content: bytes) -> str:
            await asyncio.Event().wait()
            return ""

    keeper = ContentKeeper(Silent(), tmp_path, 10_000)
    assert await keeper.keep(b"a", wait=None, timeout=0.01)
    assert names(tmp_path) == [sha256(b"a").hexdigest()]


async def test_content_beyond_the_bound_is_not_kept_and_that_is_said(tmp_path: Path) -> None:
    keeper = ContentKeeper(ScriptedStore(AWAY), tmp_path, 10)
    assert await keeper.keep(b"a" * 9, wait=None, timeout=1)
    assert not await keeper.keep(b"b" * 9, wait=None, timeout=1)


async def test_without_a_spool_content_is_not_kept_while_the_bus_is_away() -> None:
    keeper = ContentKeeper(ScriptedStore(AWAY), None, 0)
    assert not await keeper.keep(b"a", wait=None, timeout=1)


async def test_damaged_content_is_not_sent_under_a_digest_that_it_has_not(tmp_path: Path) -> None:
    (tmp_path / sha256(b"a").hexdigest()).write_bytes(b"b")
    store = ScriptedStore()
    keeper = ContentKeeper(store, tmp_path, 10_000)
    async with running(keeper):
        await keeper.drain(10)
    assert store.held == {}
    assert names(tmp_path) == [f"{sha256(b'a').hexdigest()}.damaged"]


async def test_content_that_two_tasks_write_at_once_is_there_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync, both = os.fsync, threading.Barrier(2, timeout=10)

    def sync_together(descriptor: int) -> None:
        sync(descriptor)
        both.wait()

    monkeypatch.setattr(os, "fsync", sync_together)
    keeper = ContentKeeper(ScriptedStore(AWAY), tmp_path, 10_000)
    keeping = [keeper.keep(b"a", wait=None, timeout=1) for _ in range(2)]
    assert await asyncio.gather(*keeping) == [True, True]
    assert names(tmp_path) == [sha256(b"a").hexdigest()]
