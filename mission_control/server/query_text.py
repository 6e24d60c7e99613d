"""The text of the dashboard's queries: one `.sql` file each, beside this module in `queries/`."""

from functools import cache
from importlib import resources
from typing import Literal

from nervous_system.schemas import SwarmEvent

Order = Literal["asc", "desc"]
_FAILED = "${failed}"
"""Stands for the one condition that says which events tell a failure."""
_TEXTS = "${texts}"
"""Stands for the names of the texts of events."""
_CUT = "${cut}"
"""Stands for these texts, as far as lists show them."""
MAX_LISTED_CHARACTERS = 20_000
"""Of each text of an event in a list: a page of long ones would be gigabytes."""


@cache
def query_text(name: str, order: Order = "asc") -> str:
    """Return the text of `queries/<name>.sql` without its comments: drivers take time for them.

    `order` goes where the query says `${order}`: only then is it read in the order of the table.
    """
    text = _without_comments(name)
    if _FAILED in text:
        text = text.replace(_FAILED, _without_comments("failed"))
    text = text.replace("${order}", order).replace(_TEXTS, ", ".join(text_columns()))
    return text.replace(_CUT, ", ".join(map(_cut, text_columns())))


@cache
def text_columns() -> tuple[str, ...]:
    """Return the columns of payloads that hold one text each."""
    payloads = SwarmEvent.DESCRIPTOR.oneofs_by_name["payload"].fields
    return tuple(
        column.name
        for payload in payloads
        if payload.message_type is not None
        for column in payload.message_type.fields
        if column.cpp_type == column.CPPTYPE_STRING and not column.is_repeated
        if column.type == column.TYPE_STRING
    )


def _cut(column: str) -> str:
    """Return one character more than a list shows, so that it can be told that there is more."""
    return f"leftUTF8({column}, {MAX_LISTED_CHARACTERS + 1}) as {column}"


def _without_comments(name: str) -> str:
    folder = resources.files("mission_control.server") / "queries"
    lines = (folder / f"{name}.sql").read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("--"))
