"""The bus goes away under an open page, and comes back."""

from pathlib import Path

from tests.support.browser import Browser, Page
from tests.support.publishing import decided, publish
from tests.support.stacks import Stack, running_stack
from tests.web.conftest import dashboard
from tests.web.support import log_texts


def test_no_event_is_missed_or_shown_twice_when_nats_server_restarts(
    browser: Browser, tmp_path: Path
) -> None:
    with running_stack(tmp_path / "home") as stack, browser.page(height=1_200) as page:
        page.goto(stack.record["dashboard_url"])
        page.wait("text=Live")
        _publish(stack, range(5))
        page.until(_numbers(5), _numbers_shown)
        stack.kill("nats")
        page.wait("text=/Lost/")
        stack.wait_ready()
        _publish(stack, range(5, 10))
        page.wait("text=Live")
        page.until(_numbers(10), _numbers_shown)
        assert dashboard(stack) in page.url


def _publish(stack: Stack, numbers: range) -> None:
    publish(stack.record["nats_url"], [decided(f"number {number}") for number in numbers])


def _numbers(count: int) -> list[str]:
    return [f"number {number}" for number in range(count)]


def _numbers_shown(page: Page) -> list[str]:
    return [f"number {text.split('number ')[1]}" for text in log_texts(page) if "number " in text]
