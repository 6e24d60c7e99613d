"""What several tests of pages say."""

from collections.abc import Callable
from urllib.parse import urlsplit

from tests.support.browser import Page

OpenPage = Callable[..., Page]


def log_texts(page: Page) -> list[str]:
    """The lines of the log that are on the screen."""
    return page.texts(".log-row")


def body_background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def path_of(url: str) -> str:
    """What is after the origin."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"
