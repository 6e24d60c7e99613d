"""Units: the pieces that a source is read in, each of which is stored as a whole. Pure.

A unit is a line, or, of formats that are documents, a record. A line is kept with all its bytes; a
record is only read, for its bytes lie in lines already. Secrets are taken out here, before anything
else sees them, and of whole lines: no piece that is published begins or ends within one.
"""

import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from infrastructure.intake.sessions.splitting import Line, parse_line
from nervous_system.telemetry.redaction import redact_line

_KEY_BEGIN = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_END = re.compile(rb"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_BODY = re.compile(rb"[\s>#]*[A-Za-z0-9+/=:,.\- ]*\s*")
_PRIVATE_KEY = "private_key"
_TAKEN_OUT = b"[redacted:private_key]"


@dataclass(slots=True, kw_only=True)
class Unit:
    """One piece of a source."""

    number: int
    """Of the line, or of the row in a database; of a record: of itself; from 1."""
    offset: int = 0
    content: bytes = b""
    """What is kept: secrets taken out, byte for byte otherwise."""
    digest: bytes
    """SHA-256 of what is kept, or of a record's form without secrets."""
    original_digest: str = ""
    """What a session's line says of the line before anything was taken out."""
    objects: tuple[Mapping[str, Any], ...] = ()
    is_line: bool = True
    is_malformed: bool = False
    is_terminated: bool = True
    left_out_bytes: int = 0
    redactions: dict[str, int] = field(default_factory=dict)
    file: str = ""
    """Of a source that is a folder: the file within it."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """How secrets are taken out, and originals recognised."""

    key: Callable[[], bytes]
    """Gives the home's redaction key; asked only when something is found."""
    is_on: bool = True


class Cleaner:
    """Makes units of lines and records; one for each source, whose lines it sees in order."""

    def __init__(self, redaction: Redaction, *, is_text: bool = False) -> None:
        self._redaction = redaction
        self._is_text = is_text
        self._is_in_key = False

    def line(self, line: Line, *, is_parsed: bool = True, file: str = "") -> Unit:
        """Return the unit of a line; with `is_parsed` its objects, too."""
        counts: dict[str, int] = {}
        cleaned = self._clean(line.content, counts)
        digest = sha256(cleaned).digest()
        unit = Unit(
            number=line.number,
            offset=line.offset,
            content=cleaned,
            digest=digest,
            original_digest=self._original_digest(line.content, digest, counts),
            is_terminated=line.is_terminated,
            left_out_bytes=line.left_out_bytes,
            redactions=counts,
            file=file,
        )
        if not is_parsed:
            return unit
        text = cleaned.decode("utf-8", "surrogateescape")
        if self._is_text:
            unit.objects = ({"text": text},)
            return unit
        parsed = parse_line(text)
        unit.objects, unit.is_malformed = parsed.objects, parsed.is_malformed
        return unit

    def record(self, value: Mapping[str, Any], number: int, file: str = "") -> Unit:
        """Return the unit of a record, which is read but not kept."""
        text = json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()
        cleaned = self._clean(text, {})
        found = json.loads(cleaned) if cleaned is not text else value
        return Unit(
            number=number,
            digest=sha256(cleaned).digest(),
            objects=(found,),
            is_line=False,
            file=file,
        )

    def _clean(self, line: bytes, counts: dict[str, int]) -> bytes:
        if not self._redaction.is_on:
            return line
        if self._is_text:
            line = self._without_keys(line, counts)
        return redact_line(line, counts)

    def _without_keys(self, line: bytes, counts: dict[str, int]) -> bytes:
        """Take out the body of a private key that goes over several lines of text."""
        if not self._is_in_key:
            begin = _KEY_BEGIN.search(line)
            if begin is None or _KEY_END.search(line):
                return line
            self._is_in_key = True
            counts[_PRIVATE_KEY] = counts.get(_PRIVATE_KEY, 0) + 1
            return line[: begin.start()] + _TAKEN_OUT
        end = _KEY_END.search(line)
        if end is not None:
            self._is_in_key = False
            return _TAKEN_OUT + line[end.end() :]
        if not _KEY_BODY.fullmatch(line):  # a key that was cut off: what follows is text again
            self._is_in_key = False
            return line
        return _TAKEN_OUT if line.strip() else line

    def _original_digest(self, original: bytes, digest: bytes, counts: Mapping[str, int]) -> str:
        if not counts:
            return digest.hex()
        return f"hmac:{hmac.digest(self._redaction.key(), original, 'sha256').hex()}"


def parts_of(unit: Unit, max_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Yield a kept line in parts that fit into messages, each with its offset.

    Offsets are those of the kept bytes: where something was taken out, they differ from the file's
    behind it.
    """
    content = unit.content
    for start in range(0, max(len(content), 1), max_bytes):
        yield unit.offset + start, content[start : start + max_bytes]
