"""The built pages as files: which one, how compressed, how long it is kept."""

from pathlib import Path

import pytest

from mission_control.server.pages import login_page, unbuilt_page
from mission_control.server.static_files import ANEW, FOREVER, StaticFiles


@pytest.fixture
def files(tmp_path: Path) -> StaticFiles:
    assets = tmp_path / "static" / "assets"
    assets.mkdir(parents=True)
    (assets.parent / "index.html").write_text("<!doctype html>")
    (assets.parent / "robots.txt").write_text("none")
    (assets / "index-1.js").write_text("plain")
    (assets / "index-1.js.br").write_text("brotli")
    (assets / "index-1.js.gz").write_text("gzip")
    (assets / "icon-1.svg").write_text("<svg/>")
    (tmp_path / "secret").write_text("secret")
    (assets / "way-out").symlink_to(tmp_path / "secret")
    return StaticFiles(assets.parent)


@pytest.mark.parametrize(
    ("accepted", "name", "encoding"),
    [
        ("gzip, deflate, br", "index-1.js.br", "br"),
        ("gzip;q=1.0", "index-1.js.gz", "gzip"),
        ("identity", "index-1.js", None),
        ("", "index-1.js", None),
    ],
)
def test_script_is_sent_as_it_was_compressed(
    files: StaticFiles, accepted: str, name: str, encoding: str | None
) -> None:
    answer = files.answer("assets/index-1.js", {"accept-encoding": accepted})
    assert answer is not None
    assert Path(str(vars(answer)["path"])).name == name
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["vary"] == "accept-encoding"


def test_hashed_assets_are_kept_for_ever_and_the_rest_is_not(files: StaticFiles) -> None:
    for path, kept in (("assets/icon-1.svg", FOREVER), ("robots.txt", ANEW)):
        answer = files.answer(path, {})
        assert answer is not None
        assert answer.headers["cache-control"] == kept
    assert files.page().headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    ["", "assets", "assets/", "assets/way-out", "../secret", "assets/../../secret", "/etc/passwd"],
)
def test_what_is_no_file_of_the_build_is_none(files: StaticFiles, path: str) -> None:
    assert files.answer(path, {}) is None


def test_missing_build_is_said_on_a_page_that_needs_none(tmp_path: Path) -> None:
    assert not StaticFiles(tmp_path).is_built
    page = unbuilt_page()
    assert page.status_code == 503
    assert b"make web" in bytes(page.body)


def test_plain_pages_hold_no_script_and_no_style_of_their_own() -> None:
    """The content-security policy would refuse them."""
    for page in (unbuilt_page(), login_page(401)):
        text = bytes(page.body).decode()
        assert "<script" not in text
        assert "style=" not in text
        assert "<style" not in text
