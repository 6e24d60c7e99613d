import pytest

from mission_control.server.contents import BINARY, TEXT, media_type
from mission_control.server.models import EventRow
from mission_control.server.query_text import query_text, text_columns


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", TEXT),
        (b"<script>", TEXT),
        ("grün".encode(), TEXT),
        ("grün".encode()[:3], TEXT),
        (("a" * 100 + "\U0001f4a5").encode()[:-1], TEXT),
        (b"\xff\xfe", BINARY),
        (b"text\0", BINARY),
        (b"\xe2\x82" + b"a" * 10, BINARY),
    ],
)
def test_text_is_what_is_utf8_but_for_a_cut_end(content: bytes, kind: str) -> None:
    assert media_type(content) == kind


def test_texts_of_events_are_cut_in_lists() -> None:
    assert {"rationale", "diff_patch", "tool_result", "detail"} <= set(text_columns())
    assert "resource_bytes" not in text_columns()
    assert "leftUTF8(rationale, 20001) as rationale" in query_text("events", "desc")


def test_no_mark_is_left_in_a_query() -> None:
    for name in ("events", "trace_events", "runs", "replay", "density", "agents"):
        assert "${" not in query_text(name)


def test_document_lists_the_columns_of_all_payloads() -> None:
    listed = EventRow.model_json_schema()["properties"]
    assert listed["rejected_alternatives"] == {"type": "array", "items": {"type": "string"}}
    assert listed["confidence_score"] == {"type": "number"}
    assert listed["size_bytes"] == {"type": "integer"}
    assert set(text_columns()) <= set(listed)
