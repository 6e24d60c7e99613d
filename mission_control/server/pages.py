"""The two pages that there are without the web build: to log in, and to say that it is missing.

Their style comes from a file of ours, as the content-security policy asks.
"""

from functools import cache
from importlib import resources

from starlette.responses import HTMLResponse

STYLE_PATH = "/assets/plain.css"


def login_page(status: int, note: str = "") -> HTMLResponse:
    """Return the page that says how to log in; `note` is one of our own sentences."""
    return _page("login.html", status, note)


def unbuilt_page() -> HTMLResponse:
    """Return the page that says how to build the dashboard."""
    return _page("unbuilt.html", 503)


def plain_style() -> bytes:
    """Return the style of these pages."""
    return _text("plain.css").encode()


def _page(name: str, status: int, note: str = "") -> HTMLResponse:
    return HTMLResponse(_text(name).replace("<!-- note -->", note), status)


@cache
def _text(name: str) -> str:
    folder = resources.files("mission_control.server") / "plain"
    return (folder / name).read_text(encoding="utf-8")
