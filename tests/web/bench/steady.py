"""A steady stream of events at a page that stays open: does it keep up, does it grow?"""

import subprocess
import sys
import time
from typing import Any

from tests.support.browser import Page
from tests.web.bench.measuring import LIVE, Site, install

FILL_SECONDS = 15.0
"""After this long the page's bounded store is full at the usual rate: growth counts from there."""


def measure_steady(site: Site, *, rate: int, seconds: float) -> dict[str, Any]:
    """Return the longest task, how far the heap grows once full, and whether the page kept up."""
    with site.page() as page:
        page.goto(site.origin)
        page.wait(LIVE)
        install(page, "strain.js")
        fill = min(FILL_SECONDS, seconds / 2)
        publisher = _publisher(str(site.stack.record["nats_url"]), rate, seconds)
        try:
            heaps = _watch(page, publisher, fill, seconds)
        finally:
            publisher.terminate()
            publisher.wait()
        return _figures(page, rate, seconds, heaps)


def _watch(
    page: Page, publisher: subprocess.Popen[bytes], fill: float, seconds: float
) -> list[float]:
    """Return the sizes of the heap, in MiB: once the store is full, halfway, and at the end."""
    start = time.monotonic()
    heaps = []
    for moment in (fill, (fill + seconds) / 2, seconds):
        while time.monotonic() - start < moment and publisher.poll() is None:
            time.sleep(0.05)
        heaps.append(int(page.browser.call(page.name, "heap")) / 1_048_576)
    return heaps


def _figures(page: Page, rate: int, seconds: float, heaps: list[float]) -> dict[str, Any]:
    strain = page.evaluate("window.swarmStrain()")
    page.wait(LIVE)
    return {
        "events_per_s": rate,
        "seconds": seconds,
        "longest_task_ms": round(max(strain["tasks"], default=0), 1),
        "tasks_over_200_ms": sum(task > 200 for task in strain["tasks"]),
        "longest_frame_ms": round(strain["longest_frame_ms"], 1),
        "frames_per_s": round(strain["frames"] / seconds, 1),
        "heap_mib": [round(heap, 1) for heap in heaps],
        "heap_growth_mib": round(heaps[-1] - heaps[0], 1),
        "is_live_at_end": page.count(LIVE) > 0,
    }


def _publisher(url: str, rate: int, seconds: float) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.web.bench.stream", url, str(rate), str(seconds)]
    return subprocess.Popen(command)
