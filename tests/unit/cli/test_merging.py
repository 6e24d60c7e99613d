import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from cortex.cli.merging import merged


async def counting(
    name: str, items: list[int], *, closed: list[str], then: asyncio.Event | None = None
) -> AsyncGenerator[tuple[str, int]]:
    try:
        for item in items:
            yield name, item
        if then is not None:
            await then.wait()
    finally:
        closed.append(name)


async def test_each_source_comes_whole_and_in_its_order() -> None:
    closed: list[str] = []
    sources = [counting(name, list(range(5)), closed=closed) for name in "ab"]
    found = [item async for item in merged(sources)]
    for name in "ab":
        assert [number for of, number in found if of == name] == list(range(5))
    assert sorted(closed) == ["a", "b"]


async def test_a_silent_source_holds_up_no_other() -> None:
    closed: list[str] = []
    silent = counting("a", [], closed=closed, then=asyncio.Event())
    async with aclosing(merged([silent, counting("b", [1, 2], closed=closed)])) as items:
        assert [await anext(items) for _ in range(2)] == [("b", 1), ("b", 2)]
    assert sorted(closed) == ["a", "b"]


async def test_a_source_that_fails_ends_all() -> None:
    async def failing() -> AsyncGenerator[tuple[str, int]]:
        for number in range(1):
            if number == 0:
                raise OSError
            yield "", number

    closed: list[str] = []
    silent = counting("a", [], closed=closed, then=asyncio.Event())
    with pytest.raises(OSError):  # no message of ours
        [item async for item in merged([silent, failing()])]
    assert closed == ["a"]
