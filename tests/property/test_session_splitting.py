"""Lines come out of bytes however reads cut them, and objects out of lines however they stand."""

import itertools
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from infrastructure.intake.sessions.splitting import LineSplitter, parse_line
from infrastructure.intake.sessions.units import parts_of
from tests.support.transcripts import cleaner

Pieces = list[bytes]
objects = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=20), max_size=3)
contents = st.binary(max_size=300) | st.lists(
    st.sampled_from([b"\n", b"\r\n", b'{"a": 1}', b"\xff", b"", b"\n\n"]), max_size=20
).map(b"".join)
SECRET = b"ghp_" + b"a1B2c3D4e5" * 4


@st.composite
def cut(draw: st.DrawFn, made: st.SearchStrategy[bytes] = contents) -> Pieces:
    """Draw bytes, cut anywhere."""
    data = draw(made)
    places = draw(st.lists(st.integers(0, len(data)), max_size=8))
    edges = [0, *sorted(places), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


@given(cut())
def test_lines_and_rest_are_all_the_bytes(pieces: Pieces) -> None:
    splitter = LineSplitter()
    lines = [one for piece in pieces for one in splitter.feed(piece)]
    rest = splitter.rest()
    whole = b"".join(one.content + b"\n" for one in lines) + (rest.content if rest else b"")
    assert whole == b"".join(pieces)


@given(cut())
def test_cuts_make_no_difference(pieces: Pieces) -> None:
    at_once, cut_up = LineSplitter(), LineSplitter()
    lines = list(at_once.feed(b"".join(pieces)))
    assert [one for piece in pieces for one in cut_up.feed(piece)] == lines
    assert cut_up.rest() == at_once.rest()


@given(cut())
def test_offsets_are_where_lines_begin(pieces: Pieces) -> None:
    data = b"".join(pieces)
    splitter = LineSplitter()
    for line in [one for piece in pieces for one in splitter.feed(piece)]:
        assert data[line.offset :].startswith(line.content + b"\n")


@given(cut(), st.integers(1, 40))
def test_what_is_beyond_the_bound_is_counted(pieces: Pieces, bound: int) -> None:
    splitter = LineSplitter(max_line_bytes=bound)
    lines = [one for piece in pieces for one in splitter.feed(piece)]
    assert all(len(one.content) <= bound for one in lines)
    lengths = [len(one.content) + one.left_out_bytes for one in lines]
    assert lengths == [len(one) for one in b"".join(pieces).split(b"\n")[:-1]]


@given(st.lists(objects, min_size=1, max_size=4))
def test_glued_objects_come_apart(glued: list[dict[str, Any]]) -> None:
    parsed = parse_line("".join(map(json.dumps, glued)))
    assert list(parsed.objects) == glued
    assert parsed.is_malformed == (len(glued) > 1)


@given(st.text(max_size=200))
def test_any_text_is_a_line(text: str) -> None:
    parsed = parse_line(text.replace("\n", " "))
    assert all(isinstance(one, dict) for one in parsed.objects)


@given(st.binary(max_size=60), st.binary(max_size=60), st.data())
def test_no_cut_lets_a_secret_through(before: bytes, after: bytes, data: st.DataObject) -> None:
    line = before.replace(b"\n", b" ") + b" " + SECRET + b" " + after.replace(b"\n", b" ")
    pieces = data.draw(cut(st.just(line + b"\n")))
    splitter, clean = LineSplitter(), cleaner()
    (found,) = [clean.line(one) for piece in pieces for one in splitter.feed(piece)]
    assert SECRET not in found.content
    assert b"[redacted:github_token]" in found.content


@given(st.binary(max_size=100).map(lambda one: one.replace(b"\n", b"")), st.integers(1, 30))
def test_parts_are_the_line(content: bytes, size: int) -> None:
    splitter = LineSplitter()
    (line,) = splitter.feed(content + b"\n")
    unit = cleaner(is_on=False).line(line, is_parsed=False)
    parts = list(parts_of(unit, size))
    assert b"".join(part for _, part in parts) == content
    assert all(len(part) <= size for _, part in parts)
