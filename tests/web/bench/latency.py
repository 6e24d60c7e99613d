"""From the call that publishes a decision to its words on the screen, on an idle system."""

import asyncio
from random import Random
from time import time

import nervous_system as ns
from tests.support.browser import Page
from tests.support.eventually import eventually_blocking
from tests.web.bench.measuring import LIVE, Site, install, spread

LONGEST_PAUSE_SECONDS = 0.3


def measure_latency(site: Site, pings: int) -> dict[str, float | int]:
    """Return milliseconds from publishing to the drawn frame."""
    with site.page() as page:
        page.goto(site.origin)
        page.wait(LIVE)
        install(page, "arrivals.js")
        asyncio.run(_publish(str(site.stack.record["nats_url"]), pings))
        eventually_blocking(lambda: len(_seen(page)) >= pings, timeout=20)
        return spread(_seen(page))


def _seen(page: Page) -> list[float]:
    return [float(value) for value in page.evaluate("window.swarmPings()")]


async def _publish(url: str, pings: int) -> None:
    random = Random(7)
    async with ns.connect(url) as swarm, swarm.agent("pinger", role="coder", run_id="p") as agent:
        for number in range(pings):
            # At any time of a frame, and of a second.
            await asyncio.sleep(random.random() * LONGEST_PAUSE_SECONDS)
            await agent.decide(rationale=f"ping {number} at {time() * 1_000:.3f}")
