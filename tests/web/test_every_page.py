"""What holds for every page: small screens, dark colours, keyboards, screen readers."""

import pytest

from tests.support.browser import Browser
from tests.support.stacks import Stack
from tests.web.conftest import dashboard
from tests.web.support import OpenPage, body_background

PHONE = {"width": 360, "height": 740}
WALL = {"width": 3840, "height": 2160}
LIVE = "text=Live"


@pytest.mark.parametrize("path", ["/", "/runs", "/sql", "/health", "/no-such-page"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_page: OpenPage, path: str, scheme: str) -> None:
    page = open_page(path, scheme=scheme)
    page.wait(LIVE)
    page.wait("text=Loading", "hidden")
    assert page.serious_barriers() == []


@pytest.mark.parametrize("path", ["/", "/runs", "/sql", "/health"])
@pytest.mark.parametrize("size", [PHONE, WALL], ids=["phone", "wall"])
def test_nobody_has_to_scroll_sideways(
    open_page: OpenPage, path: str, size: dict[str, int]
) -> None:
    page = open_page(path, **size)
    page.wait(LIVE)
    page.wait("text=Loading", "hidden")
    assert not page.is_wider_than_window()


def test_colours_are_those_of_the_system(open_page: OpenPage) -> None:
    page = open_page(scheme="dark")
    dark = body_background(page)
    page.scheme("light")
    assert dark != body_background(page)


def test_a_choice_of_colours_is_kept(open_page: OpenPage) -> None:
    page = open_page(scheme="dark")
    dark = body_background(page)
    page.click("role=button[name=/^Colours: Auto/]")
    page.until(True, lambda one: body_background(one) != dark)
    page.reload()
    page.wait("role=button[name=/^Colours: Light/]")
    assert body_background(page) != dark


def test_the_first_stop_of_the_keyboard_leads_to_the_content(open_page: OpenPage) -> None:
    page = open_page()
    page.wait(LIVE)
    page.press("Tab")
    page.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_pages_are_gone_through_without_loading_the_app_again(open_page: OpenPage) -> None:
    page = open_page()
    page.evaluate("window.isStillThere = true")
    page.click("role=link[name='SQL']")
    page.wait("role=heading[name=/SQL/]")
    page.back()
    page.wait("role=listbox[name='Events']", "attached")
    assert page.evaluate("window.isStillThere")


def test_who_is_not_logged_in_is_told_how(browser: Browser, swarm: Stack) -> None:
    with browser.page() as page:
        page.goto(dashboard(swarm))
        page.wait("text=swarm up")
