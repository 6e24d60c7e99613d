"""ClickHouse's error codes as this endpoint answers them: the status and the text; pure."""

import re
from dataclasses import dataclass

BAD_ARGUMENTS = 36
UNKNOWN_SETTING = 115
SYNTAX_ERROR = 62
TIMEOUT_EXCEEDED = 159
READONLY = 164
TOO_MANY_QUERIES = 202
TOO_DEEP = 306
NOT_ENOUGH_SPACE = 243
QUERY_WAS_CANCELLED = 394
ACCESS_DENIED = 497
AUTHENTICATION_FAILED = 516
UNKNOWN_EXCEPTION = 1002

_STATUS_BY_CODE = {
    **dict.fromkeys((516, 192, 193, 497, 511), 403),
    194: 401,
    **dict.fromkeys(
        (
            6,
            26,
            27,
            36,
            TOO_DEEP,
            38,
            41,
            43,
            53,
            62,
            69,
            70,
            72,
            80,
            117,
            130,
            137,
            167,
            168,
            179,
            184,
        ),
        400,
    ),
    **dict.fromkeys((321, 370, 386, 420, 421, 441, 456, 457, 632, 636, 50), 400),
    **dict.fromkeys((16, 46, 47, 56, 60, 63, 73, 78, 81, 115, 218), 404),
    57: 400,
    TIMEOUT_EXCEEDED: 408,
    131: 413,
    229: 413,
    READONLY: 403,
    48: 501,
    **dict.fromkeys((76, 209, 439, TOO_MANY_QUERIES), 503),
}
_NAMES = {
    BAD_ARGUMENTS: "BAD_ARGUMENTS",
    SYNTAX_ERROR: "SYNTAX_ERROR",
    TIMEOUT_EXCEEDED: "TIMEOUT_EXCEEDED",
    READONLY: "READONLY",
    TOO_MANY_QUERIES: "TOO_MANY_SIMULTANEOUS_QUERIES",
    TOO_DEEP: "TOO_DEEP_RECURSION",
    NOT_ENOUGH_SPACE: "NOT_ENOUGH_SPACE",
    QUERY_WAS_CANCELLED: "QUERY_WAS_CANCELLED",
    ACCESS_DENIED: "ACCESS_DENIED",
    AUTHENTICATION_FAILED: "AUTHENTICATION_FAILED",
    UNKNOWN_EXCEPTION: "UNKNOWN_EXCEPTION",
}
_SCRATCH = re.compile(r":? ?\(in file/uri [^)]*\)")
_PREFIX = re.compile(r"Code:\s*(\d+)\.\s*(?:DB::Exception:\s*)?")


@dataclass(slots=True)
class EngineError(Exception):
    """The engine, or this endpoint in its place, refused or gave up."""

    code: int
    text: str
    """The sentence, with the name of the code in parentheses at its end."""

    def __str__(self) -> str:
        return f"Code: {self.code}. {self.text}"

    @property
    def status(self) -> int:
        """The HTTP status that ClickHouse gives this code."""
        return _STATUS_BY_CODE.get(self.code, 500)

    @property
    def body(self) -> bytes:
        """What ClickHouse writes as the body."""
        return f"Code: {self.code}. DB::Exception: {self.text}\n".encode()


def our_error(code: int, reason: str) -> EngineError:
    """Return an error that this endpoint raises itself, in ClickHouse's form."""
    return EngineError(code, f"{reason}. ({_NAMES[code]})")


def parse_engine_error(message: str) -> EngineError:
    """Return what the engine's exception text says."""
    found = list(_PREFIX.finditer(message))
    if not found:
        return our_error(UNKNOWN_EXCEPTION, message.strip() or "the engine gave no reason")
    # A wrapped exception repeats its prefix; the innermost sentence follows the last one in a row.
    last = found[0]
    for match in found[1:]:
        if match.start() - last.end() > 2:
            break
        last = match
    text = _SCRATCH.sub("", message[last.end() :]).strip()
    return EngineError(int(found[0].group(1)), text)
