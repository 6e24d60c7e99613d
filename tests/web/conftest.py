"""A browser for all tests, a swarm for most, and what every page must not do."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import pytest

from tests.support.browser import Browser, Page, missing_for_browser, running_browser
from tests.support.publishing import decided, publish, signalled
from tests.support.stacks import Stack, running_stack
from tests.web.support import OpenPage

REQUIRED = ("CI", "SWARM_REQUIRE_BROWSER")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if missing := missing_for_browser():
        if any(os.environ.get(name) for name in REQUIRED):
            pytest.fail(missing)
        pytest.skip(missing)
    with running_browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def swarm(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack for all tests that do not disturb it; two agents have spoken, one has failed."""
    with running_stack(tmp_path_factory.mktemp("web") / "home") as stack:
        failed = signalled("CRITICAL_FAILURE", "coder-2", "the provider answered 529 three times")
        publish(stack.record["nats_url"], [signalled("HEALTHY"), decided("begin"), failed])
        yield stack


@pytest.fixture
def open_page(browser: Browser, swarm: Stack) -> Iterator[OpenPage]:
    """Opens pages of the swarm, logged in; at the end none may have misbehaved."""
    with well_behaved_pages(browser, swarm) as opened:
        yield opened


@contextmanager
def well_behaved_pages(browser: Browser, stack: Stack) -> Iterator[OpenPage]:
    """Pages that say no errors, fail at no request and ask nobody but the stack."""
    record = stack.record
    own = {urlsplit(record[name]).netloc for name in ("dashboard_url", "dashboard_ws_url")}
    pages: list[Page] = []
    with ExitStack() as opened:

        def open_at(path: str = "/", **options: object) -> Page:
            page = opened.enter_context(browser.page(**options))  # type: ignore[arg-type]
            pages.append(page)
            page.goto(record["dashboard_url"])
            page.goto(dashboard(stack) + path)
            return page

        yield open_at
        for page in pages:
            assert (page.said_errors(), page.failed_requests()) == ([], [])
            assert page.hosts() <= own


def dashboard(stack: Stack) -> str:
    """The origin of the pages."""
    url = urlsplit(stack.record["dashboard_url"])
    return f"{url.scheme}://{url.netloc}"
