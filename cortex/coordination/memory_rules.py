"""What a shared value is, and when a change of it may be written. Pure."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cortex.coordination.errors import RevisionChangedError, ValueRefusedError
from nervous_system.payloads import MemoryFormat

MAX_VALUE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A value as one change made it."""

    key: str
    text: str = ""
    """The text, or the text of the JSON value."""
    format: MemoryFormat = "deleted"
    revision: int = 0
    """Sequence of the change; 0: the key was never used."""
    agent: str = ""
    """Who changed it, as the bus has it."""
    at: datetime | None = None
    """When the server stored it, UTC."""
    event_id: str = ""
    redacted: int = 0
    """How many secrets were taken out of it."""

    @property
    def exists(self) -> bool:
        """Whether there is a value."""
        return self.format != "deleted"

    @property
    def value(self) -> Any:
        """The text, or what the JSON holds; None where there is no value."""
        if self.format == "text":
            return self.text
        try:
            return json.loads(self.text) if self.exists else None
        except ValueError:  # of a program that is not ours
            return self.text


def encode_value(key: str, value: Any, *, as_json: bool = False) -> tuple[str, MemoryFormat]:
    """Return what is kept of a value: text as it is unless asked otherwise, the rest as JSON.

    Raises:
        ValueRefusedError: it is no JSON, or larger than 1 MiB.
    """
    if isinstance(value, str) and not as_json:
        return checked_text(key, value), "text"
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueRefusedError(key=key, reason=f"it cannot be JSON: {error}") from error
    return checked_text(key, text), "json"


def parse_json(key: str, text: str) -> Any:
    """Return what a JSON text holds.

    Raises:
        ValueRefusedError: it is no JSON.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ValueRefusedError(key=key, reason=f"it is no JSON: {error}") from error


def checked_text(key: str, text: str) -> str:
    """Return `text` if it may be kept.

    Raises:
        ValueRefusedError: it is larger than 1 MiB.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_VALUE_BYTES:
        reason = f"{size} bytes, at most {MAX_VALUE_BYTES}: store it with `swarm artifact upload`"
        raise ValueRefusedError(key=key, reason=reason)
    return text


def check_revision(found: Value, expected: int) -> None:
    """Let a change pass if the value is at the revision that it is conditioned on.

    0 means that there is no value, be it that it was deleted.

    Raises:
        RevisionChangedError: it is not.
    """
    actual = found.revision if found.exists else 0
    if actual != expected:
        raise RevisionChangedError(key=found.key, expected=expected, found=actual, by=found.agent)


def is_below(key: str, path: str) -> bool:
    """Whether a key is `path` or lies below it; everything lies below the empty one."""
    return not path or key == path or key.startswith(f"{path}.")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
