"""What all measurements in the browser share: pages that are logged in, and scripts within them."""

import contextlib
import gzip
import json
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cortex.cli.bench.measure import quantile
from tests.support.browser import Browser, Page
from tests.support.stacks import Stack

SCRIPTS = Path(__file__).parent
LIVE = '[data-phase="live"]'


@dataclass(frozen=True, slots=True)
class Site:
    """A running stack, and the browser that looks at it."""

    stack: Stack
    browser: Browser
    login: str
    """The link that logs in."""

    @property
    def origin(self) -> str:
        """Address of the dashboard, without a path."""
        parts = urlsplit(self.login)
        return f"{parts.scheme}://{parts.netloc}"

    @contextlib.contextmanager
    def page(self) -> Iterator[Page]:
        """Open a page that is logged in, with nothing in its cache."""
        with self.browser.page() as page:
            page.goto(self.login)
            yield page


def install(page: Page, name: str) -> None:
    """Run a script of this directory in the page."""
    page.evaluate(f"({(SCRIPTS / name).read_text(encoding='utf-8')})()".replace(";\n)()", ")()"))


def spread(values: Sequence[float]) -> dict[str, float | int]:
    """Return the median, the 99th percentile, the highest and the count, in whole tenths."""
    if not values:
        return {"count": 0}
    return {
        "p50": round(quantile(values, 0.5), 1),
        "p99": round(quantile(values, 0.99), 1),
        "max": round(max(values), 1),
        "count": len(values),
    }


def script_bytes(page: Page) -> dict[str, int]:
    """Return how much JavaScript the page has loaded, as it is and compressed by gzip."""
    urls = page.evaluate(
        "[...new Set(performance.getEntriesByType('resource').map((entry) => entry.name))]"
        ".filter((name) => new URL(name).pathname.endsWith('.js'))"
    )
    plain = packed = 0
    for url in urls:
        with urllib.request.urlopen(url, timeout=30) as answer:
            body = answer.read()
        plain += len(body)
        packed += len(gzip.compress(body, 9))
    return {"files": len(urls), "bytes": plain, "gzip_bytes": packed}


def as_json(figures: object) -> str:
    """Return the figures as one object."""
    return json.dumps(figures, indent=2)
