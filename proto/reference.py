"""Writes `docs/reference/events.md` from the contract: `python proto/reference.py`.

What a field means is its comment in the .proto file, so that the page cannot say anything else.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

CONTRACT = Path(__file__).resolve().parent / "enchanted" / "events" / "v1" / "events.proto"
HEAD = """# Events

Written by `make docs` from the wire contract, `proto/enchanted/events/v1/events.proto`. An event \
is an envelope around exactly one
payload. In JSON, as `swarm publish` reads it, names may be written as here or in camel case, \
64-bit integers as numbers or texts,
bytes as base64:

    {"agent_role": "ROLE_CODER", "agent_id": "coder-1", "run_id": "r1", "tool_call": \
{"tool_name": "read_file", "tool_outcome": "ok"}}

Each field of a payload is a column of [`swarm.events`](sql.md) under its own name, and the \
payload that is set is its `kind`. A
version that does not know a payload keeps the event with its bytes as kind `unknown`; after an \
update `swarm verify --repair` reads
such rows anew.
"""
_COMMENT = r"((?:^ *//.*\n)+)"
_BLOCK = re.compile(rf"{_COMMENT}^(enum|message) (\w+) \{{\n([\s\S]*?)^\}}", re.MULTILINE)
_FIELD = re.compile(rf"{_COMMENT}?^ *([\w.<>, ]+?) (\w+) = (\d+);", re.MULTILINE)
_VALUE = re.compile(r"^ *(\w+) = (\d+);", re.MULTILINE)
_BRANCH = re.compile(r"^    (\w+) (\w+) = (\d+);", re.MULTILINE)


def reference(proto: str) -> str:
    """Return the page for the text of the contract."""
    branches = {kind: (name, number) for kind, name, number in _BRANCH.findall(proto)}
    sections = [HEAD]
    for comment, what, name, body in _BLOCK.findall(proto):
        title, lead = _heading(name, branches)
        rows = _values(body) if what == "enum" else _fields(body)
        text = " ".join(part for part in (_plain(comment), lead) if part)
        sections.append("\n".join([f"## {title}", "", text, "", *rows, ""]))
    return "\n".join(sections)


def _heading(name: str, branches: dict[str, tuple[str, str]]) -> tuple[str, str]:
    if name not in branches:
        return name, ""
    kind, number = branches[name]
    return kind, f"Message `{name}`, number {number} of `SwarmEvent`."


def _fields(body: str) -> Iterator[str]:
    yield "| field | number | type | meaning |"
    yield "|---|---|---|---|"
    for comment, kind, name, number in _FIELD.findall(_BRANCH.sub("", body)):
        yield f"| `{name}` | {number} | `{kind}` | {_plain(comment)} |"


def _values(body: str) -> Iterator[str]:
    yield "| value | number |"
    yield "|---|---|"
    for name, number in _VALUE.findall(body):
        yield f"| `{name}` | {number} |"


def _plain(comment: str) -> str:
    return " ".join(line.strip().removeprefix("//").strip() for line in comment.splitlines())


if __name__ == "__main__":
    sys.stdout.write(reference(CONTRACT.read_text(encoding="utf-8")))
