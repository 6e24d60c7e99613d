"""Wait for a fact instead of a time."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")

PAUSE_SECONDS = 0.02


@overload
async def eventually(
    probe: Callable[[], Awaitable[T]], *, timeout: float = ..., pause: float = ...
) -> T: ...
@overload
async def eventually(probe: Callable[[], T], *, timeout: float = ..., pause: float = ...) -> T: ...
async def eventually(
    probe: Callable[[], Any],
    *,
    timeout: float = 15.0,
    pause: float = PAUSE_SECONDS,
) -> Any:
    """Call `probe` until it returns something true and return that.

    An AssertionError inside counts as "not yet"; at the end of `timeout` seconds the last one is
    raised.
    """
    deadline = time.monotonic() + timeout
    while True:
        failure: AssertionError | None = None
        try:
            answer = probe()
            value = await answer if inspect.isawaitable(answer) else answer
            if value:
                return value
        except AssertionError as error:
            failure = error
        if time.monotonic() > deadline:
            raise failure or AssertionError(f"not true within {timeout:g} s: {_name(probe)}")
        await asyncio.sleep(pause)


def eventually_blocking(
    probe: Callable[[], T], *, timeout: float = 15.0, pause: float = PAUSE_SECONDS
) -> T:
    """Do the same as `eventually` where no event loop runs."""
    deadline = time.monotonic() + timeout
    while True:
        failure: AssertionError | None = None
        try:
            if value := probe():
                return value
        except AssertionError as error:
            failure = error
        if time.monotonic() > deadline:
            raise failure or AssertionError(f"not true within {timeout:g} s: {_name(probe)}")
        time.sleep(pause)


def _name(probe: Callable[..., object]) -> str:
    return getattr(probe, "__qualname__", repr(probe))
