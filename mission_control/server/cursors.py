"""Where the next page starts, as text that callers keep and give back. Pure.

A cursor holds the places that a page has reached, so that what arrives between two pages neither
repeats a row nor hides one.
"""

import base64
import binascii
import json
from typing import Any

from mission_control.errors import BadQuestionError

MAX_PLACES = 100
HIGHEST = 2**63 - 1


def format_places(places: dict[str, int]) -> str:
    """Return the cursor of a page that has reached these sequences, by stream."""
    return _encode(places)


def parse_places(cursor: str) -> dict[str, int]:
    """Return the sequence that each stream was reached in; the inverse of `format_places`.

    Raises:
        BadQuestionError: it is no such cursor.
    """
    found = _decode(cursor)
    if not isinstance(found, dict) or len(found) > MAX_PLACES:
        raise _refused(cursor)
    if not all(_is_number(value) for value in found.values()):
        raise _refused(cursor)
    return found


def parse_place(parameter: str, text: str) -> tuple[str, int]:
    """Return the stream and sequence that `STREAM:SEQ` names, as this parameter gives it.

    Raises:
        BadQuestionError: it names none.
    """
    stream, _, sequence = text.rpartition(":")
    if not stream or not sequence.isdecimal() or int(sequence) > HIGHEST:
        raise BadQuestionError(parameter=parameter, given=text, expected="STREAM:SEQUENCE")
    return stream, int(sequence)


def format_after(number: int, name: str) -> str:
    """Return the cursor of a page that ends with this row."""
    return _encode([number, name])


def parse_after(cursor: str) -> tuple[int, str]:
    """Return the row that a page has ended with; the inverse of `format_after`.

    Raises:
        BadQuestionError: it is no such cursor.
    """
    match _decode(cursor):
        case [int(number), str(name)] if _is_number(number, -HIGHEST):
            return number, name
        case _:
            raise _refused(cursor)


def _is_number(value: Any, lowest: int = 0) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= HIGHEST


def _encode(value: Any) -> str:
    text = json.dumps(value, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str) -> Any:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return json.loads(raw.decode())
    except (binascii.Error, ValueError, RecursionError) as error:
        raise _refused(cursor) from error


def _refused(cursor: str) -> BadQuestionError:
    return BadQuestionError(
        parameter="cursor", given=cursor, expected="`next_cursor` of the page before"
    )
