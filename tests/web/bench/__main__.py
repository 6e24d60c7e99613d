"""The dashboard measured in a real browser on a real stack: `make bench-web`.

Prints a table; `--json FILE` writes the figures. `--quick` takes a tenth of the time and says less.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from tests.support.browser import missing_for_browser, running_browser
from tests.support.stacks import running_stack
from tests.web.bench.latency import measure_latency
from tests.web.bench.measuring import Site, as_json
from tests.web.bench.past import lay_run, measure_past
from tests.web.bench.steady import measure_steady

RATE = 5_000


def main() -> None:
    """Measure, print, write."""
    asked = _parse()
    if reason := missing_for_browser():
        raise SystemExit(f"nothing is measured: {reason}")
    with tempfile.TemporaryDirectory() as folder, running_stack(Path(folder) / "home") as stack:
        login = str(stack.wait_ready()["dashboard_url"])
        with running_browser() as browser:
            figures = measure(Site(stack, browser, login), is_quick=asked.quick)
    print(table(figures))
    if asked.json:
        Path(asked.json).write_text(as_json(figures) + "\n", encoding="utf-8")


def measure(site: Site, *, is_quick: bool) -> dict[str, Any]:
    """Return all figures; the long run is laid before the store of the page is filled."""
    events, pings, scrubs, seconds = (20_000, 50, 30, 10) if is_quick else (100_000, 300, 100, 60)
    latency = measure_latency(site, pings)
    run_id = lay_run(site, events)
    past = measure_past(site, run_id=run_id, events=events, scrubs=scrubs)
    steady = measure_steady(site, rate=RATE, seconds=seconds)
    return {"publish_to_pixel_ms": latency, "steady": steady, "past": past}


def table(figures: dict[str, Any]) -> str:
    """Return the figures beside their goals, for people."""
    latency, steady, past = figures["publish_to_pixel_ms"], figures["steady"], figures["past"]
    growth = steady["heap_growth_mib"]
    scripts = past["initial_scripts"]["gzip_bytes"] / 1_000
    rows = [
        ("publish to pixel, p50", f"{latency['p50']} ms", "100 ms"),
        ("publish to pixel, p99", f"{latency['p99']} ms", "300 ms"),
        (
            f"{steady['events_per_s']:,} events/s for {steady['seconds']} s: longest task",
            f"{steady['longest_task_ms']} ms",
            "200 ms",
        ),
        ("the same: heap, once full, halfway, at the end", _heaps(steady["heap_mib"]), "flat"),
        ("the same: growth of the heap once full", f"{growth} MiB", "flat"),
        (f"a run of {past['events']:,}: first paint", _worst(past["first_paint_ms"]), "1,000 ms"),
        ("the same: the moment is shown", _worst(past["moment_shown_ms"]), ""),
        ("the same: scrub to any point", _worst(past["scrub_ms"]), "100 ms"),
        ("initial JavaScript, gzip", f"{scripts:.0f} kB", "300 kB"),
    ]
    lines = ["| figure | measured | goal |", "|---|---|---|"]
    return "\n".join(lines + [f"| {name} | {value} | {goal} |" for name, value, goal in rows])


def _heaps(sizes: list[float]) -> str:
    return ", ".join(f"{size:g}" for size in sizes) + " MiB"


def _worst(values: dict[str, Any]) -> str:
    return f"{values['p50']} ms, at worst {values['max']} ms"


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-web", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the time, for trying it")
    parser.add_argument("--json", metavar="FILE", help="also write the figures to FILE")
    return parser.parse_args()


if __name__ == "__main__":
    main()
