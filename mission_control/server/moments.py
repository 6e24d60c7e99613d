"""Times and moments of questions, as text, and back. Pure."""

import time

from cortex.cli.times import format_time, parse_time
from mission_control.errors import BadQuestionError

LOWEST_NS = -(2**63)
HIGHEST_NS = 2**63 - 1


def shown_time(text: str) -> str:
    """Return a time of the engine with as many digits of the second as it needs."""
    return format_time(parse_time(text, 0))


def shown_or_none(text: str | None) -> str | None:
    """Return the same, or None for none."""
    return None if text is None else shown_time(text)


def asked_time(parameter: str, text: str, default: int) -> int:
    """Return the nanoseconds since 1970 that a parameter names, within what history holds.

    Raises:
        BadQuestionError: it is no time.
    """
    if not text.strip():
        return default
    try:
        nanoseconds = parse_time(text, time.time_ns())
    except (ValueError, OverflowError) as error:
        raise BadQuestionError(
            parameter=parameter,
            given=text,
            expected="a time such as 2026-01-31T09:30:00Z, or an age such as 10m",
        ) from error
    return max(LOWEST_NS, min(HIGHEST_NS, nanoseconds))
