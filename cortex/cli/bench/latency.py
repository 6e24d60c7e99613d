"""From a publish on an idle system to a row in SQL."""

import asyncio
import time

from cortex.cli.bench.rig import Rig
from nervous_system import connect

LIMIT_SECONDS = 10.0
PAUSE_SECONDS = 0.05
QUESTION = "select count() as found from swarm.events where event_id = {event_id:UUID}"


async def idle_to_sql_ms(rig: Rig, count: int) -> list[float]:
    """Return the time from calling publish to seeing the row, in milliseconds, `count` times.

    Raises:
        TimeoutError: an event was not in history within ten seconds.
    """
    times = []
    async with (
        connect(rig.nats_url, home=rig.home.root) as swarm,
        swarm.agent("idle", role="operator", run_id="bench-idle") as agent,
    ):
        for number in range(count):
            await asyncio.sleep(PAUSE_SECONDS)
            start = time.perf_counter()
            receipt = await agent.decide(rationale=f"idle {number}", wait=True)
            await asyncio.to_thread(_wait_until_found, rig, receipt.event_id)
            times.append((time.perf_counter() - start) * 1_000)
    return times


def _wait_until_found(rig: Rig, event_id: str) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while not rig.writer.query(QUESTION, {"event_id": event_id})[0]["found"]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"event {event_id} was not in history within {LIMIT_SECONDS:g} s")
        time.sleep(0.001)
