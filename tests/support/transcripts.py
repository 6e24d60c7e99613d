"""The transcripts that lie beside the tests, and lines that harnesses would write."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from infrastructure.intake.sessions.detecting import detect
from infrastructure.intake.sessions.documents import read_document, read_lines
from infrastructure.intake.sessions.identity import identify
from infrastructure.intake.sessions.mapping import Mapper, Planned
from infrastructure.intake.sessions.units import Cleaner, Redaction, Unit

TRANSCRIPTS = Path(__file__).resolve().parents[1] / "data/sessions"
REFERENCE = "COUNTS.json"
OTHER_PARSERS = frozenset({"hooks", "otlp"})
NOT_OF_A_SESSION = frozenset(
    {"schema_version", "max_message_id", "messages_visible_in_main_file_only"}
)
"""Counted of a database as a file."""
NO_LINES = frozenset({"bytes", "lines"})
"""A database has none."""


def reference_counts() -> dict[str, dict[str, int]]:
    """Return the integer counts of each transcript, by its path below `TRANSCRIPTS`."""
    files = json.loads((TRANSCRIPTS / REFERENCE).read_text())["files"]
    return {
        name: {
            key: value
            for key, value in found.items()
            if isinstance(value, int)
            and key not in NOT_OF_A_SESSION
            and not (found["parser"] == "hermes_db" and key in NO_LINES)
        }
        for name, found in files.items()
        if found["parser"] not in OTHER_PARSERS
    }


def no_key() -> bytes:
    return b"k" * 32


def cleaner(*, is_on: bool = True, is_text: bool = False) -> Cleaner:
    return Cleaner(Redaction(no_key, is_on), is_text=is_text)


def mapped(path: Path) -> Iterator[tuple[Mapper, list[Planned]]]:
    """Yield for each session of a transcript its mapper and all that it planned."""
    form = detect(path)
    if form.is_lines:
        units: Iterable[Unit] = (cleaner().line(line) for line in read_lines(path))
        identity = identify(form.harness, form.mapper, form.source, path.stem)
        yield planned(Mapper(identity, form.reader()), units, ())
        return
    for one in read_document(path, form):
        made = one.units(cleaner(is_text=form.is_text))
        yield planned(Mapper(one.identity, form.reader()), made, one.late_objects)


def planned(
    mapper: Mapper, units: Iterable[Unit], late: Iterable[Any]
) -> tuple[Mapper, list[Planned]]:
    found = [event for unit in units for event in mapper.plan(unit)]
    while more := mapper.settle(late):
        found += more
        late = ()
    return mapper, found


def prompt_line(text: str, number: int = 1, session: str = "s-1") -> bytes:
    """Return a line of Claude Code in which somebody asks for something."""
    return _line(
        type="user",
        uuid=f"u{number}",
        sessionId=session,
        cwd="/srv/tree",
        timestamp=f"2026-01-02T03:04:{number % 60:02}.000Z",
        message={"role": "user", "content": text},
    )


def call_line(call_id: str, name: str, asked: Any, session: str = "s-1") -> bytes:
    """Return a line of Claude Code in which the model asks for a tool."""
    block = {"type": "tool_use", "id": call_id, "name": name, "input": asked}
    return _line(
        type="assistant",
        uuid=f"a-{call_id}",
        sessionId=session,
        cwd="/srv/tree",
        timestamp="2026-01-02T03:05:00.000Z",
        message={"role": "assistant", "id": f"m-{call_id}", "content": [block]},
    )


def result_line(call_id: str, text: str, detail: Any = None, session: str = "s-1") -> bytes:
    """Return a line of Claude Code in which a tool answers."""
    block = {"type": "tool_result", "tool_use_id": call_id, "content": text}
    return _line(
        type="user",
        uuid=f"r-{call_id}",
        sessionId=session,
        timestamp="2026-01-02T03:05:01.000Z",
        toolUseResult=detail,
        message={"role": "user", "content": [block]},
    )


def _line(**fields: Any) -> bytes:
    return json.dumps(fields).encode() + b"\n"
