"""A real browser for tests: Debian's Chromium, driven through `tests/web/bridge.mjs`.

Selectors are Playwright's: CSS, `text=...`, `role=button[name="Pause"]`. A call waits until what it
names is there, up to fifteen seconds.
"""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mission_control.web_build import WebBuildError, find_tools
from tests.support.eventually import eventually_blocking

ROOT = Path(__file__).resolve().parents[2]
BRIDGE = ROOT / "tests" / "web" / "bridge.mjs"
WEB = ROOT / "mission_control"
PLACES = ("/usr/bin/chromium", "/usr/bin/chromium-browser")
SERIOUS = {"serious", "critical"}


def chromium_binary() -> str | None:
    """Return where Chromium is, or None."""
    return next((place for place in PLACES if Path(place).exists()), shutil.which("chromium"))


def missing_for_browser() -> str:
    """Return what is missing for tests in a browser; empty: nothing is."""
    try:
        find_tools(os.environ)
    except WebBuildError as error:
        return str(error)
    if not (WEB / "node_modules" / "playwright-core").exists():
        return "the web packages are missing: make web-test gets them"
    if chromium_binary() is None:
        return "Chromium is missing: apt-get install chromium"
    return ""


class BrowserError(AssertionError):
    """The browser could not do what a test asked for."""


class Browser:
    """One Chromium process; `page` opens pages that share nothing with each other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._count = 0

    def call(self, page: str, name: str, *arguments: object) -> Any:
        """Have the bridge do something and return what came of it."""
        self._count += 1
        asked = {"id": self._count, "page": page, "call": name, "args": arguments}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise BrowserError("the browser ended")
        answer = json.loads(line)
        if "error" in answer:
            raise BrowserError(f"{name}{arguments}: {answer['error']}")
        return answer["value"]

    @contextlib.contextmanager
    def page(
        self, *, width: int = 1440, height: int = 900, scheme: str = "light"
    ) -> Iterator["Page"]:
        """Open a page of its own; closed at the end of the block."""
        options = {
            "viewport": {"width": width, "height": height},
            "colorScheme": scheme,
            "reducedMotion": "reduce",
        }
        page = Page(self, str(self.call("", "open", options)))
        try:
            yield page
        finally:
            self.call(page.name, "close")


@dataclass(frozen=True, slots=True)
class Page:
    """A tab."""

    browser: Browser
    name: str

    def goto(self, url: str) -> None:
        self._call("goto", url)

    def reload(self) -> None:
        self._call("reload")

    def back(self) -> None:
        self._call("back")

    @property
    def url(self) -> str:
        return str(self._call("url"))

    def click(self, selector: str) -> None:
        self._call("click", selector)

    def fill(self, selector: str, text: str) -> None:
        self._call("fill", selector, text)

    def select(self, selector: str, value: str) -> None:
        self._call("select", selector, value)

    def press(self, key: str) -> None:
        self._call("press", key)

    def focus(self, selector: str) -> None:
        self._call("focus", selector)

    def wheel(self, selector: str, down: int) -> None:
        """Turn the mouse wheel over something; negative is up."""
        self._call("wheel", selector, down)

    def wait(self, selector: str, state: str = "visible") -> None:
        """Wait until something is `visible`, `hidden`, `attached` or `detached`."""
        self._call("wait", selector, state)

    def count(self, selector: str) -> int:
        return int(self._call("count", selector))

    def texts(self, selector: str) -> list[str]:
        return [str(text) for text in self._call("texts", selector)]

    def attribute(self, selector: str, name: str) -> str | None:
        value = self._call("attribute", selector, name)
        return None if value is None else str(value)

    def evaluate(self, script: str, argument: object = None) -> Any:
        """Run a function or expression in the page."""
        return self._call("evaluate", script, argument)

    def viewport(self, width: int, height: int) -> None:
        self._call("viewport", width, height)

    def scheme(self, scheme: str) -> None:
        """Let the system prefer `light` or `dark`."""
        self._call("media", {"colorScheme": scheme})

    def screenshot(self, path: Path) -> None:
        self._call("screenshot", str(path))

    def until(self, wanted: object, read: Any) -> None:
        """Wait until `read(page)` is what is wanted; fail with what it is."""
        with contextlib.suppress(AssertionError, TimeoutError):
            eventually_blocking(lambda: read(self) == wanted)
        assert read(self) == wanted

    def said_errors(self) -> list[str]:
        """Errors on the console, and exceptions."""
        return list(self._call("seen")["console"])

    def failed_requests(self) -> list[str]:
        return list(self._call("seen")["failed"])

    def hosts(self) -> set[str]:
        """Hosts, with ports, that anything was asked of."""
        return set(self._call("seen")["hosts"])

    def serious_barriers(self) -> list[dict[str, Any]]:
        """What axe finds that keeps people from using the page."""
        return [found for found in self._call("axe") if found["impact"] in SERIOUS]

    def is_wider_than_window(self) -> bool:
        """Return whether one has to scroll sideways."""
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        return bool(self.evaluate(wide))

    def _call(self, name: str, *arguments: object) -> Any:
        return self.browser.call(self.name, name, *arguments)


@contextlib.contextmanager
def running_browser() -> Iterator[Browser]:
    """Start Chromium; ended at the end of the block, whatever happens."""
    chromium = chromium_binary()
    assert chromium is not None
    node = str(find_tools(os.environ).node)
    with subprocess.Popen(
        [node, str(BRIDGE), chromium], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Browser(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
