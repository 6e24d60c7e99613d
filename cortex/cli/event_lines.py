"""Events as JSON lines, checked before anything is published. Pure.

Every bad line is reported with its number and the field that is wrong; blank lines are skipped.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nervous_system.errors import InvalidEventError
from nervous_system.schemas import SwarmEvent

DecodeEvent = Callable[[Mapping[str, Any]], SwarmEvent]
_ID_NAMES = ("event_id", "eventId")
_TIME_NAME = "timestamp"


@dataclass(frozen=True, slots=True)
class LineProblem:
    """Why one line cannot be published."""

    line: int
    """From 1."""
    field: str
    """Path of the field; empty where the line as a whole is wrong."""
    reason: str

    def __str__(self) -> str:
        place = f"line {self.line}: {self.field}: " if self.field else f"line {self.line}: "
        return place + self.reason


@dataclass(frozen=True, slots=True)
class EventLine:
    """One good line."""

    line: int
    event: SwarmEvent
    has_own_id: bool
    """The id was given, so that publishing the line again is a repeat."""


@dataclass(frozen=True, slots=True)
class EventLines:
    """All lines of an input, good and bad."""

    events: tuple[EventLine, ...]
    problems: tuple[LineProblem, ...]


@dataclass(frozen=True, slots=True)
class Filling:
    """Where ids and times come from that a line leaves out."""

    new_event_id: Callable[[], str]
    now: Callable[[], str]
    """RFC 3339."""


def read_event_lines(lines: Iterable[bytes], decode: DecodeEvent, filling: Filling) -> EventLines:
    """Read every line; `decode` turns one JSON object into a checked event."""
    events: list[EventLine] = []
    problems: list[LineProblem] = []
    lines_by_id: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found = _read_line(number, line, decode, filling)
            _check_first(found, lines_by_id)
        except _BadLine as bad:
            problems.append(bad.problem)
        else:
            events.append(found)
    return EventLines(tuple(events), tuple(problems))


class _BadLine(Exception):  # noqa: N818 - control flow inside this module, never seen outside
    def __init__(self, line: int, field: str, reason: str) -> None:
        super().__init__(reason)
        self.problem = LineProblem(line, field, reason)


def _read_line(number: int, line: bytes, decode: DecodeEvent, filling: Filling) -> EventLine:
    fields = _object(number, line)
    has_own_id = any(fields.get(name) for name in _ID_NAMES)
    if not has_own_id:
        fields = {k: v for k, v in fields.items() if k not in _ID_NAMES}
        fields["event_id"] = filling.new_event_id()
    if fields.get(_TIME_NAME) is None:
        fields[_TIME_NAME] = filling.now()
    try:
        event = decode(fields)
    except InvalidEventError as error:
        raise _BadLine(number, error.field, error.reason) from error
    return EventLine(number, event, has_own_id)


def _object(number: int, line: bytes) -> dict[str, Any]:
    try:
        # A byte order mark is what some editors put before the first line.
        value = json.loads(line.decode("utf-8-sig"), object_pairs_hook=_unique_names)
    except UnicodeDecodeError as error:
        raise _BadLine(number, "", f"not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise _BadLine(number, "", f"not JSON: {error.msg} at column {error.colno}") from error
    except _RepeatedNameError as error:
        raise _BadLine(number, error.name, "given twice") from error
    except RecursionError as error:
        raise _BadLine(number, "", "nested too deeply") from error
    except ValueError as error:
        # json.loads refuses integers beyond the interpreter's digit limit.
        raise _BadLine(number, "", f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise _BadLine(number, "", "not a JSON object")
    return value


class _RepeatedNameError(ValueError):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _RepeatedNameError(name)
        found[name] = value
    return found


def _check_first(found: EventLine, lines_by_id: dict[str, int]) -> None:
    """Refuse a second line with the same id: the server would drop it as a repeat of the first."""
    first = lines_by_id.setdefault(found.event.event_id.lower(), found.line)
    if first != found.line:
        raise _BadLine(found.line, "event_id", f"the same as in line {first}")
