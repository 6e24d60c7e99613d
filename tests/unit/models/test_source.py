"""Python source as text and back."""

import pytest

from cortex.models.offline_rules.source import UnreadableSourceError, parse_source


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x = 1",
        b"x = 1\r\ny = 2\r\n",
        b"\xef\xbb\xbfx = 1\n",
        "x = 'é'\n".encode(),
        "# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1"),
        "# coding: utf-16-be-no\n".replace("utf-16-be-no", "cp1252").encode() + b"x = '\x80'\n",
    ],
)
def test_content_survives(content: bytes) -> None:
    assert parse_source(content).to_bytes() == content


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"x = '\xe9'\n", "cannot be told"),
        (b"x = 1\n" * 3 + b"y = '\xe9'\n", "not utf-8"),
        (b"# coding: klingon\n", "cannot be told"),
        (b"x = 1\0", "NUL"),
        (b"x = 1\ry = 2\r", "lone carriage return"),
    ],
)
def test_content_that_cannot_be_edited_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableSourceError, match=reason):
        parse_source(content)


def test_text_that_the_encoding_lacks_is_refused() -> None:
    source = parse_source(b"# coding: ascii\nx = 1\n")
    with pytest.raises(UnreadableSourceError, match="ascii has no 'é'"):
        source.with_text("é").to_bytes()
