"""Waiting that ends early when the service is asked to stop."""

import asyncio


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until `stop` is set."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


async def wait_for_either(*events: asyncio.Event, timeout: float | None = None) -> None:
    """Wait until one of the events is set, or so many seconds."""
    waits = {asyncio.ensure_future(event.wait()) for event in events}
    try:
        await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waits:
            one.cancel()
