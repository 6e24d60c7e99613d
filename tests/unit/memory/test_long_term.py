"""An agent gets memories in time, or goes on without."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from cortex.memory.keeping import Keeper
from cortex.memory.long_term import REST_SECONDS, LongTermMemory
from cortex.memory.retrieval import Mode, Retriever
from nervous_system.errors import BusUnavailableError


class SilentHistory:
    """A history that takes questions, and never answers before it is let go."""

    def __init__(self) -> None:
        self.asked = 0
        self.let_go = asyncio.Event()

    async def query(
        self, sql: str, parameters: Mapping[str, Any] | None = None
    ) -> Sequence[Mapping[str, Any]]:
        self.asked += 1
        await self.let_go.wait()
        return []


class NothingKept:
    """Vectors of nothing; taking in can be slow or fail."""

    def __init__(self, error: Exception | None = None, wait: asyncio.Event | None = None) -> None:
        self._error = error
        self._wait = wait
        self.passes = 0

    async def take_in(self) -> int:
        self.passes += 1
        if self._wait is not None:
            await self._wait.wait()
        if self._error is not None:
            raise self._error
        return 0

    async def missing(self, model: str, limit: int) -> Sequence[Mapping[str, Any]]:
        return []

    async def add(self, model: str, rows: Any, vectors: Any) -> None:
        raise AssertionError

    async def extend_index(self, model: str) -> int:
        return 0

    async def nearest(self, *_: Any, **__: Any) -> Sequence[Mapping[str, Any]]:
        return []


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def memory_of(
    history: SilentHistory, kept: NothingKept, clock: Clock | None = None
) -> LongTermMemory:
    retriever = Retriever(history=history, vectors=kept)
    return LongTermMemory(retriever, Keeper(kept, None), seconds=0.05, clock=clock or Clock())


async def test_silent_history_is_given_up_and_left_alone_for_a_while() -> None:
    history, clock = SilentHistory(), Clock()
    memory = memory_of(history, NothingKept(), clock)
    first = await memory.recall("unused imports", excluded_run="r")
    second = await memory.recall("unused imports", excluded_run="r")
    assert (first.mode, second.mode, history.asked) == (Mode.NONE, Mode.NONE, 1)
    clock.now += REST_SECONDS
    await memory.recall("unused imports", excluded_run="r")
    assert history.asked == 2


async def test_failing_keeping_does_not_keep_from_searching() -> None:
    history = SilentHistory()
    history.let_go.set()
    away = BusUnavailableError(servers="x", reason="away")
    found = await memory_of(history, NothingKept(away)).recall("imports", excluded_run="r")
    assert (found.mode, found.found) == (Mode.FULL_TEXT, ())


async def test_slow_keeping_does_not_keep_from_searching_and_goes_on() -> None:
    history, slow = SilentHistory(), asyncio.Event()
    history.let_go.set()
    kept = NothingKept(wait=slow)
    keeper = Keeper(kept, None)
    memory = LongTermMemory(Retriever(history=history, vectors=kept), keeper, seconds=0.1)
    assert (await memory.recall("imports", excluded_run="r")).mode is Mode.FULL_TEXT
    slow.set()
    assert await keeper.catch_up(None)
    assert kept.passes == 1
    await keeper.close()
