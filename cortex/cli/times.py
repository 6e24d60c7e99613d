"""Times on the command line: RFC 3339 or relative in, RFC 3339 in UTC out, to the nanosecond.

Pure. Times are whole nanoseconds since 1970: history keeps nanoseconds and `datetime` does not.
"""

import re
from datetime import UTC, datetime, timedelta

NANOSECONDS = 1_000_000_000
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_RELATIVE = re.compile(r"(?:\d+(?:\.\d+)?[smhdw])+")
_RELATIVE_PART = re.compile(r"(\d+)(?:\.(\d+))?([smhdw])")
_ABSOLUTE = re.compile(
    r"(\d{4}-\d{2}-\d{2})"
    r"(?:[Tt ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d{2}:?\d{2})?)?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EXPECTED_TIME = "a time such as 2026-01-31T09:30:00Z, or an age such as 10m, 2h, 1d"


def parse_duration(text: str) -> int:
    """Return the nanoseconds of `90s`, `10m`, `1h30m`, `0.5d`.

    Raises:
        ValueError: it is no such text.
    """
    if not _RELATIVE.fullmatch(text.strip()):
        raise ValueError(f"{text!r} is not a length of time such as 90s, 10m, 1h30m, 7d")
    total = 0
    for whole, fraction, unit in _RELATIVE_PART.findall(text):
        scale = 10 ** len(fraction)
        total += int(whole + fraction) * _UNIT_SECONDS[unit] * NANOSECONDS // scale
    return total


def parse_time(text: str, now_ns: int) -> int:
    """Return nanoseconds since 1970 of an RFC 3339 time, or of an age counted from `now_ns`.

    A time without an offset is UTC; a date alone is its midnight.

    Raises:
        ValueError: it is neither.
    """
    stripped = text.strip()
    if stripped == "now":
        return now_ns
    if _RELATIVE.fullmatch(stripped.removesuffix(" ago")):
        return now_ns - parse_duration(stripped.removesuffix(" ago"))
    matched = _ABSOLUTE.fullmatch(stripped)
    if matched is None:
        raise ValueError(f"{text!r} is not {EXPECTED_TIME}")
    day, clock, fraction, offset = matched.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock or '00:00'}{_offset(offset)}")
    except ValueError as error:
        raise ValueError(f"{text!r} is not {EXPECTED_TIME}: {error}") from error
    return _nanoseconds(moment) + int((fraction or "0").ljust(9, "0"))


def format_time(nanoseconds: int) -> str:
    """Return RFC 3339 in UTC with as many digits of the second as are needed: 0, 3, 6 or 9."""
    seconds, rest = divmod(nanoseconds, NANOSECONDS)
    text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    digits = f"{rest:09d}"
    while digits.endswith("000"):
        digits = digits[:-3]
    # strftime does not pad years below 1000 everywhere.
    return f"{text.rjust(19, '0')}{'.' + digits if digits else ''}Z"


def to_datetime(nanoseconds: int) -> datetime:
    """Return the aware UTC time, rounded down to microseconds."""
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def _offset(text: str | None) -> str:
    if text is None or text in "zZ":
        return "+00:00"
    return text


def _nanoseconds(moment: datetime) -> int:
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * NANOSECONDS
