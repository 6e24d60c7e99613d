"""Redaction: secrets are taken out of text about the work before an event leaves the process.

Text about the work is rationale, alternatives, trigger, detail, reason, attributes, and what tools
were given and answered; what the work itself consists of (contents, patches) is never altered, nor
are ids and paths, by which events are found. Documents stay JSON: their texts are looked at one by
one. Each find is replaced by
`[redacted:<kind>]` and counted, and the event keeps an HMAC of its bytes before, so that an
original can be recognised but not guessed. What secrets look like is in `secret_kinds`, how they
are found in `secret_finding`.
"""

import hmac
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from nervous_system.schemas import SwarmEvent
from nervous_system.telemetry.secret_finding import Secret, find_secrets, may_hold
from nervous_system.telemetry.secret_kinds import MARK, TELLING_NAME

_TEXT_FIELDS = {
    "system_signal": ("detail",),
    "tombstone": ("tombstone_reason",),
    "tool_call": ("tool_result",),
    "task_transition": ("task_reason",),
    "run_transition": ("run_reason",),
    "step_transition": (),
    "message": ("message_text",),
    "memory_change": (),
    "session_mark": ("mark_text",),
}
"""Fields of a payload that hold text about the work; a decision's are looked at on their own."""
_DOCUMENT_FIELDS = {
    "tool_call": ("tool_arguments",),
    "task_transition": ("task_document",),
    "run_transition": ("run_document",),
    "step_transition": ("step_document",),
    "memory_change": ("memory_value",),
    "session_mark": ("mark_document",),
}
"""Fields of a payload that hold such text as JSON, or may. The bytes of a session's line are looked
at by who reads it."""
_NAMED_VALUE = "named_value"
_PASSWORD_NAME = re.compile("passw(?:or)?d|passphrase|pwd", re.IGNORECASE)
_LARGEST_SETTING = 999
"""Smaller numbers under the name of a password are its least length, or days of its life."""
_SURROGATES = "surrogatepass"
"""Half characters, as models and file names have them, are text like any other."""


def is_suspect(text: str) -> bool:
    """Whether `text` may hold a secret; False is certain, True is not."""
    return may_hold(text.encode("utf-8", _SURROGATES))


def redact(text: str, counts: dict[str, int]) -> str:
    """Return `text` without secrets and add what was found to `counts`, by kind."""
    encoded = text.encode("utf-8", _SURROGATES)
    found = find_secrets(encoded)
    if not found:
        return text
    cleaned, own = _without(encoded, found)
    for kind, count in own.items():
        counts[kind] = counts.get(kind, 0) + count
    return cleaned.decode("utf-8", _SURROGATES)


def redact_line(line: bytes, counts: dict[str, int]) -> bytes:
    """Return bytes without secrets and add what was found to `counts`, by kind.

    For lines of transcripts, whatever they hold: all bytes outside of what was found stay as they
    are, bytes that are not UTF-8 too, and what was JSON stays JSON.

    Args:
        line: a line, or any text; the same object comes back where nothing is found.
        counts: by kind; added to.
    """
    found = find_secrets(line)
    if not found:
        return line
    cleaned, own = _without(line, found)
    if _is_json(line) and not _is_json(cleaned):
        # What was found reaches out of its text, as a number or a quote too many does.
        own = {}
        cleaned = redact_document(line.decode(), own).encode()
    for kind, count in own.items():
        counts[kind] = counts.get(kind, 0) + count
    return cleaned if own else line


def _without(line: bytes, found: Iterable[Secret]) -> tuple[bytes, dict[str, int]]:
    pieces: list[bytes] = []
    counts: dict[str, int] = {}
    end = 0
    for secret in found:
        counts[secret.kind] = counts.get(secret.kind, 0) + 1
        pieces += (line[end : secret.start], f"{MARK}{secret.kind}]".encode())
        end = secret.end
    return b"".join((*pieces, line[end:])), counts


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def may_hold_secret(kind: str, payload: Any, attributes: Mapping[str, str]) -> bool:
    """Whether an event of this payload and these attributes has to be redacted; False is sure."""
    texts = _texts(kind, payload, attributes)
    return is_suspect(texts[0] if len(texts) == 1 else "\n".join(texts))


def redact_event(event: SwarmEvent, key: Callable[[], bytes]) -> bool:
    """Take secrets out of the event's text; True if there were any.

    Args:
        event: changed in place, its `redactions` and `original_digest` set; numbered already, for
        the digest is over
            the bytes that would have been published.
        key: gives the home's redaction key; asked only when something is found.
    """
    kind = event.WhichOneof("payload") or ""
    payload = getattr(event, kind) if kind else None
    if not may_hold_secret(kind, payload, event.attributes):
        return False
    original = event.SerializeToString()
    counts: dict[str, int] = {}
    _redact_payload(event, counts)
    _redact_attributes(event, counts)
    if not counts:
        return False
    for name, count in counts.items():
        event.redactions[name] += count
    event.original_digest = hmac.digest(key(), original, "sha256")
    return True


def _texts(kind: str, payload: Any, attributes: Mapping[str, str]) -> list[str]:
    if kind == "decision":
        texts = [payload.rationale]
        if alternatives := payload.rejected_alternatives:
            texts += alternatives
        if trigger := payload.input_trigger:
            texts.append(trigger)
    elif kind in _TEXT_FIELDS:
        names = (*_TEXT_FIELDS[kind], *_DOCUMENT_FIELDS.get(kind, ()))
        texts = [getattr(payload, name) for name in names]
    else:
        texts = []
    if attributes:
        texts += [f"{name}={value}" for name, value in attributes.items()]
    return texts


def _redact_payload(event: SwarmEvent, counts: dict[str, int]) -> None:
    kind = event.WhichOneof("payload")
    if kind == "decision":
        decision = event.decision
        decision.rationale = redact(decision.rationale, counts)
        decision.input_trigger = redact(decision.input_trigger, counts)
        decision.rejected_alternatives[:] = [
            redact(text, counts) for text in decision.rejected_alternatives
        ]
    elif kind in _TEXT_FIELDS:
        payload = getattr(event, kind)
        for name in _TEXT_FIELDS[kind]:
            setattr(payload, name, redact(getattr(payload, name), counts))
        for name in _DOCUMENT_FIELDS.get(kind, ()):
            setattr(payload, name, redact_document(getattr(payload, name), counts))


def _redact_attributes(event: SwarmEvent, counts: dict[str, int]) -> None:
    for name, value in list(event.attributes.items()):
        event.attributes[name] = redact_named(name, value, counts)


def redact_named(name: str, value: str, counts: dict[str, int]) -> str:
    """Return a labelled value without secrets; a telling name (`api_key`) makes all of it one."""
    cleaned = redact(value, counts)
    if cleaned != value or len(value) < 4 or value.isdigit() or MARK in value:
        return cleaned
    if not TELLING_NAME.search(name):
        return cleaned
    counts[_NAMED_VALUE] = counts.get(_NAMED_VALUE, 0) + 1
    return f"{MARK}{_NAMED_VALUE}]"


def redact_document(text: str, counts: dict[str, int]) -> str:
    """Return JSON without secrets, in another layout if there were any; what is no JSON as text."""
    if not is_suspect(text):
        return text
    found: dict[str, int] = {}
    try:
        cleaned = _redact_value("", json.loads(text), found)
        document = json.dumps(cleaned, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (ValueError, RecursionError):
        return redact(text, counts)
    for kind, count in found.items():
        counts[kind] = counts.get(kind, 0) + count
    return document if found else text


def _redact_value(name: str, value: Any, counts: dict[str, int]) -> Any:
    """Redact a value under its name; what lies in a list goes by the name of the list."""
    if isinstance(value, str):
        return redact_named(name, value, counts)
    if isinstance(value, int) and _PASSWORD_NAME.search(name) and value > _LARGEST_SETTING:
        counts[_NAMED_VALUE] = counts.get(_NAMED_VALUE, 0) + 1
        return f"{MARK}{_NAMED_VALUE}]"
    if isinstance(value, dict):
        return {
            redact(key, counts): _redact_value(key, member, counts) for key, member in value.items()
        }
    if isinstance(value, list):
        return [_redact_value(name, member, counts) for member in _as_command(value, counts)]
    return value


def _as_command(words: list[Any], counts: dict[str, int]) -> Iterator[Any]:
    """Yield a list's members; options, and what follows them, as redacted in a command line."""
    named = [word for word in words[:2] if isinstance(word, str) and not word.startswith("-")]
    command, option = " ".join(named), ""
    for word in words:
        is_option = isinstance(word, str) and word.startswith("-")
        if is_option or (option and isinstance(word, str)):
            yield _redact_word(f"{command} {option}", word, counts)
        else:
            yield word
        option = f"{word} " if is_option else ""


def _redact_word(before: str, word: str, counts: dict[str, int]) -> str:
    """Return one word of a command line as it is redacted behind the others."""
    found: dict[str, int] = {}
    cleaned = redact(f'{before}"{word}"', found)
    if not found or not cleaned.startswith(f'{before}"'):
        return word  # what stands before holds a secret itself, and is looked at in its own turn
    for kind, count in found.items():
        counts[kind] = counts.get(kind, 0) + count
    return cleaned.removeprefix(before)[1:-1]
