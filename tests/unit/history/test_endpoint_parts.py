import asyncio

import pytest

from infrastructure.history.owner.http1 import Request
from infrastructure.history.owner.native import assemble
from infrastructure.history.owner.outcome import EngineError, our_error, parse_engine_error
from infrastructure.history.owner.request import Call, parse_call


def _call(body: bytes = b"", headers: dict[str, str] | None = None, **query: str) -> Call:
    request = Request(
        method="POST",
        path="/",
        query=list(query.items()),
        headers=headers or {},
        body=body,
        gone=asyncio.Event(),
    )
    return parse_call(request, body)


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("INSERT INTO t (a) FORMAT Native", b"\x00data"),
        ("insert into t\n(a) format Native  ", b"\x00data"),
        ("", b"INSERT INTO t (a) FORMAT Native\n\x00data"),
    ],
)
def test_insert_is_told_from_its_data(query: str, body: bytes) -> None:
    call = _call(body, query=query) if query else _call(body)
    assert call.input_format == "Native"
    assert call.query.split() in (
        [b"INSERT", b"INTO", b"t", b"(a)"],
        [b"insert", b"into", b"t", b"(a)"],
    )
    assert bytes(call.data) == b"\x00data"


@pytest.mark.parametrize(
    "body", [b"select 1", b"insert into t values (1)", b"insert into t select 1 FORMAT x from y"]
)
def test_other_statement_is_left_whole(body: bytes) -> None:
    call = _call(body)
    assert (call.query, call.input_format) == (body, "")


def test_query_of_the_url_comes_before_the_body() -> None:
    assert _call(b"from numbers(1)", query="select 1").query == b"select 1\nfrom numbers(1)"


def test_settings_are_what_the_interface_does_not_read_itself() -> None:
    call = _call(max_threads="1", session_id="x", param_a="b", query_id="q", database="d")
    assert dict(call.settings) == {"max_threads": "1"}
    assert dict(call.parameters) == {"a": "b"}
    assert (call.query_id, call.database) == ("q", "d")


def test_credentials_are_taken_from_headers_before_the_url() -> None:
    headers = {"x-clickhouse-user": "u", "x-clickhouse-key": "k"}
    call = _call(headers=headers, user="other", password="other")
    assert (call.user, call.password) == ("u", "k")
    basic = _call(headers={"authorization": "Basic dTpwOnE="})
    assert (basic.user, basic.password) == ("u", "p:q")
    with pytest.raises(EngineError):
        _call(headers={"authorization": "Basic ???"})


def test_best_offered_encoding_is_chosen() -> None:
    assert _call(headers={"accept-encoding": "gzip;q=1, deflate, br"}).encoding == "gzip"
    assert _call(headers={"accept-encoding": "br"}).encoding == ""
    assert _call(headers={"accept-encoding": "gzip"}, enable_http_compression="0").encoding == ""


def test_engine_error_keeps_code_and_sentence() -> None:
    error = parse_engine_error("Code: 62. DB::Exception: Syntax error: at 1. (SYNTAX_ERROR)")
    assert (error.code, error.status) == (62, 400)
    assert error.body == b"Code: 62. DB::Exception: Syntax error: at 1. (SYNTAX_ERROR)\n"
    wrapped = parse_engine_error("INFILE: \nCode: 32. DB::Exception: Code: 32. DB::Exception: eof")
    assert (wrapped.code, wrapped.text) == (32, "eof")
    assert parse_engine_error("nothing known").code == 1002


def test_our_error_names_its_code() -> None:
    assert our_error(164, "no").body == b"Code: 164. DB::Exception: no. (READONLY)\n"


def _buffers(rows: int, *contents: bytes) -> bytes:
    head = len(contents).to_bytes(8, "little") + rows.to_bytes(8, "little")
    return head + b"".join(len(one).to_bytes(8, "little") + one for one in contents)


def test_blocks_get_header_and_marks_as_the_revision_asks() -> None:
    columns = [("a", "UInt8"), ("s", "String")]
    body = _buffers(2, b"\x01\x02", b"\x01x\x01y") + _buffers(1, b"\x03", b"\x01z")
    plain = (
        b"\x02\x02\x01a\x05UInt8\x01\x02\x01s\x06String\x01x\x01y"
        b"\x02\x01\x01a\x05UInt8\x03\x01s\x06String\x01z"
    )
    assert assemble(body, columns, 0) == plain
    header = b"\x01\x00\x02\xff\xff\xff\xff\x00"
    marked = assemble(_buffers(1, b"\x03", b"\x01z"), columns, 54460)
    assert marked == header + b"\x02\x01\x01a\x05UInt8\x00\x03\x01s\x06String\x00\x01z"


def test_empty_result_still_names_its_columns() -> None:
    assert assemble(b"", [("a", "UInt8")], 0) == b"\x01\x00\x01a\x05UInt8"
