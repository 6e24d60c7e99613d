"""A long run, opened at a moment and scrubbed through."""

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

from cortex.cli.bench.corpus import Corpus, Made
from cortex.cli.bench.load import load
from nervous_system.schemas import SwarmEvent
from tests.support.browser import Page
from tests.support.eventually import eventually_blocking
from tests.web.bench.measuring import Site, install, script_bytes, spread

SLIDER = "[role=slider]"
OPENINGS = 5
INGEST_SECONDS = 180
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"


def lay_run(site: Site, events: int) -> str:
    """Publish a run of so many events; return its id once history has it all."""
    run_id = str(uuid.uuid4())
    asyncio.run(load(str(site.stack.record["nats_url"]), _of_run(run_id, events)))
    query = f"select count() as n from swarm.events where run_id = '{run_id}'"
    eventually_blocking(
        lambda: int(site.stack.sql(query)[0]["n"]) >= events, timeout=INGEST_SECONDS
    )
    return run_id


def measure_past(site: Site, *, run_id: str, events: int, scrubs: int) -> dict[str, Any]:
    """Return the first paint and the time to the moment of cold openings, and of scrubs."""
    query = f"select max(stream_seq) as last from swarm.events where run_id = '{run_id}'"
    last = int(site.stack.sql(query)[0]["last"])
    url = f"{site.origin}/?run={run_id}&at={last - events // 3}"
    paints, ready = zip(*(_open(site, url) for _ in range(OPENINGS)), strict=True)
    with site.page() as page:
        page.goto(url)
        page.wait(SLIDER)
        return {
            "events": events,
            "first_paint_ms": spread(paints),
            "moment_shown_ms": spread(ready),
            "scrub_ms": spread(_scrub(page, scrubs)),
            "initial_scripts": script_bytes(page),
        }


def _open(site: Site, url: str) -> tuple[float, float]:
    with site.page() as page:
        page.goto(url)
        page.wait(SLIDER)
        return float(page.evaluate(PAINTED)), float(page.evaluate("performance.now()"))


def _scrub(page: Page, scrubs: int) -> list[float]:
    install(page, "scrubs.js")
    box = page.evaluate(f"document.querySelector('{SLIDER}').getBoundingClientRect().toJSON()")
    random = Random(11)
    for count in range(1, scrubs + 1):
        x = box["left"] + random.random() * box["width"]
        for call in (("move", x, box["top"] + 9), ("down",), ("up",)):
            page.browser.call(page.name, "mouse", *call)
        _await_scrubs(page, count)
    return _taken(page)


def _await_scrubs(page: Page, count: int) -> None:
    eventually_blocking(lambda: len(_taken(page)) >= count)


def _taken(page: Page) -> list[float]:
    return [float(value) for value in page.evaluate("window.swarmScrubs()")]


def _of_run(run_id: str, events: int) -> Iterator[Made]:
    for made in Corpus(agents=8).mixed(events):
        event = SwarmEvent.FromString(made.payload)
        event.run_id = run_id
        yield replace(made, payload=event.SerializeToString())
