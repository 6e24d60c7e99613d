"""Changes to JSON that people keep: only what is changed is written anew. Pure.

What is not JSON, or holds a key twice, is refused: nobody knows what it means.
"""

import json
import re
from typing import Any, NamedTuple

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


class Span(NamedTuple):
    """Where a value stands."""

    start: int
    end: int


class Member(NamedTuple):
    """A member of an object or array, with the name, if it has one."""

    name: str
    start: int
    """Of the name, or of the value where there is none."""
    value: Span


def members_at(text: str, start: int) -> list[Member]:
    """Return what is in the object or array that begins at `start`.

    Raises:
        ValueError: there is none, it is damaged, or a name stands there twice.
    """
    closing = {"{": "}", "[": "]"}.get(text[start : start + 1])
    if closing is None:
        raise ValueError("neither an object nor an array")
    found: list[Member] = []
    at = _skip(text, start + 1)
    while text[at : at + 1] != closing:
        begin, name = at, ""
        if closing == "}":
            name, at = _name(text, at)
        _, end = _DECODER.raw_decode(text, at)
        if name and any(one.name == name for one in found):
            raise ValueError(f"{name!r} stands there twice")
        found.append(Member(name, begin, Span(at, end)))
        at = _skip(text, end)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != closing:
            raise ValueError(f"no comma at character {at}")
    return found


def member(text: str, start: int, name: str) -> Member | None:
    """Return a member of the object that begins at `start`, or None."""
    return next((one for one in members_at(text, start) if one.name == name), None)


def root(text: str) -> int:
    """Return where the outermost value begins."""
    return _skip(text, 0)


def insert_last(text: str, container: int, value: Any, name: str = "") -> str:
    """Return `text` with one more member at the end of an object or array."""
    inside = members_at(text, container)
    step = indent_of(text)
    outer = _line_indent(text, container)
    inner = outer + step
    shown = json.dumps(value, ensure_ascii=False, indent=len(step) if step.strip("\t") else "\t")
    shown = shown.replace("\n", f"\n{inner}")
    entry = f"{json.dumps(name, ensure_ascii=False)}: {shown}" if name else shown
    if inside:
        at = inside[-1].value.end
        return f"{text[:at]},\n{inner}{entry}{text[at:]}"
    end = _skip(text, container + 1)
    return f"{text[: container + 1]}\n{inner}{entry}\n{outer}{text[end:]}"


def remove(text: str, container: int, number: int) -> str:
    """Return `text` without a member of an object or array, and without a comma too many."""
    inside = members_at(text, container)
    if len(inside) == 1:
        closing = _skip(text, inside[0].value.end)
        return text[: container + 1] + text[closing:]
    if number:
        return text[: inside[number - 1].value.end] + text[inside[number].value.end :]
    return text[: inside[0].start] + text[inside[1].start :]


def indent_of(text: str) -> str:
    """Return by how much a text indents its first member; two spaces where it does not."""
    match = re.search(r"[{\[][ \t]*\r?\n([ \t]+)\S", text)
    return match[1] if match else "  "


def _line_indent(text: str, at: int) -> str:
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _name(text: str, at: int) -> tuple[str, int]:
    if text[at : at + 1] != '"':
        raise ValueError(f"no name at character {at}")
    name, end = _DECODER.raw_decode(text, at)
    end = _skip(text, end)
    if text[end : end + 1] != ":":
        raise ValueError(f"no colon at character {end}")
    return str(name), _skip(text, end + 1)


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
