import asyncio

import pytest

from cortex.tools.finishing import unbroken


async def test_cancelled_caller_waits_for_the_end_and_is_cancelled_then() -> None:
    may_end, done = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await may_end.wait()
        done.set()

    task = asyncio.create_task(unbroken(work()))
    for _ in range(2):
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done.is_set()


async def test_result_and_error_come_through() -> None:
    async def work(outcome: Exception | int) -> int:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    assert await unbroken(work(3)) == 3
    with pytest.raises(LookupError):
        await unbroken(work(LookupError()))


async def test_cancellation_comes_before_the_works_own_error() -> None:
    may_end = asyncio.Event()

    async def work() -> None:
        await may_end.wait()
        raise LookupError

    task = asyncio.create_task(unbroken(work()))
    await asyncio.sleep(0)
    task.cancel()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
