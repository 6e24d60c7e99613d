"""Forms as clients send them when a query's parameters are long."""

import pytest
from urllib3 import encode_multipart_formdata

from infrastructure.history.owner.form import form_fields
from infrastructure.history.owner.outcome import EngineError


def test_fields_of_a_form_come_out_as_they_went_in() -> None:
    fields = {"query": "select\r\n--x 'é'", "param_a": "['a', 'b']", "empty": ""}
    body, content_type = encode_multipart_formdata(fields)
    assert form_fields(content_type, body) == fields


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_other_bodies_are_no_forms(content_type: str) -> None:
    assert form_fields(content_type, b"select 1") is None


def test_what_is_no_whole_form_is_refused() -> None:
    body, content_type = encode_multipart_formdata({"query": "select 1"})
    table, table_type = encode_multipart_formdata({"t": ("t.csv", "1")})
    for kind, data in (
        (content_type, body[:-10]),
        ("multipart/form-data", body),
        (table_type, table),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nno name\r\n--x--"),
    ):
        with pytest.raises(EngineError):
            form_fields(kind, data)
