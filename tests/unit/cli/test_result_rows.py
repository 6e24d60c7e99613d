"""What the engine writes, as values."""

import json

import pytest

from cortex.cli.result_rows import (
    BrokenResultError,
    cell_text,
    read_result,
    write_csv,
    write_json_array,
)

HEAD = [b'["name","n"]\n', b'["String","UInt64"]\n']


def test_rows_become_objects_with_exact_integers() -> None:
    result = read_result([*HEAD, b'["a",18446744073709551615]\n', b'["b",null]\n'])
    assert json.loads("".join(write_json_array(result))) == [
        {"name": "a", "n": 18446744073709551615},
        {"name": "b", "n": None},
    ]


def test_no_rows_are_an_empty_array() -> None:
    assert json.loads("".join(write_json_array(read_result(HEAD)))) == []


def test_bytes_that_are_not_utf8_become_base64_wherever_they_are() -> None:
    line = b'["\xff\x41",{"\xfe":["ok","\xc3\xa9","\x80"]}]\n'
    (row,) = read_result([*HEAD, line]).rows
    assert row == ["/0E=", {"/g==": ["ok", "é", "gA=="]}]


def test_csv_quotes_what_needs_it_and_writes_arrays_as_json() -> None:
    result = read_result([*HEAD, b'["a,\\"b\\"",[1,"x"]]\n', b'["",null]\n'])
    assert "".join(write_csv(result)) == 'name,n\n"a,""b""","[1, ""x""]"\n,\n'


def test_an_exception_in_the_middle_is_told_in_the_words_of_the_engine() -> None:
    result = read_result([*HEAD, b'["a",1]\n', b"Code: 395. DB::Exception: stop here\n"])
    assert next(result.rows) == ["a", 1]
    with pytest.raises(BrokenResultError, match=r"Code: 395\. DB::Exception: stop here"):
        next(result.rows)


@pytest.mark.parametrize(
    ("value", "text"), [(None, "NULL"), ("x", "x"), (True, "true"), (1, "1"), ([1], "[1]")]
)
def test_a_cell_is_short_text(value: object, text: str) -> None:
    assert cell_text(value) == text
