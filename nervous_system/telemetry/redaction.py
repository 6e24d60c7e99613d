"""Redaction: secrets are taken out of text about the work before an event leaves the process.

Text about the work is rationale, alternatives, trigger, detail, reason, attributes, and what tools
were given and answered; what the work itself consists of (contents, patches) is never altered, nor
are ids and paths, by which events are found. Documents stay JSON: their texts are looked at one by
one. Each find is replaced by
`[redacted:<kind>]` and counted, and the event keeps an HMAC of its bytes before, so that an
original can be recognised but not guessed. Searches for single characters and substrings decide
whether any pattern has to run at all: most text is clean, and these are what `str` does fastest.
"""

import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nervous_system.schemas import SwarmEvent
from nervous_system.telemetry.secret_kinds import (
    MARK,
    NAME_REACH,
    OPTION,
    SECRET_KINDS,
    TELLING_NAME,
    TELLING_WORDS,
    SecretKind,
)

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
_NAMED_KINDS = tuple(kind for kind in SECRET_KINDS if not kind.literals)
_OPTION_DASHES = "--"
_LITERALS = tuple(
    literal for kind in SECRET_KINDS for literal in kind.literals if literal != _OPTION_DASHES
)


def _ending_in(last: str) -> re.Pattern[str]:
    """Return a pattern for all literals ending in `last`, which looks only where that stands."""
    endings: dict[str, list[str]] = {}
    for one in _LITERALS:
        if one.endswith(last):
            endings.setdefault(one[-2:], []).append(one)
    # Most text is told apart by the character before; literals are tried where that one fits.
    letters = "".join(re.escape(ending[0]) for ending in endings)
    behind = "|".join(
        f"(?<={re.escape(ending)})(?:{'|'.join(f'(?<={re.escape(one)})' for one in ones)})"
        for ending, ones in endings.items()
    )
    return re.compile(f"{re.escape(last)}(?<=[{letters}]{re.escape(last)})(?:{behind})")


# Looks where a dash, an underscore or an A stands; text about work holds few of these.
_find_dashed = _ending_in("-").search
_find_underscored = _ending_in("_").search
_find_a = re.compile(
    "A(?:" + "|".join(one[1:] for one in _LITERALS if one.startswith("A")) + ")"
).search
# Prose is full of dashes: what may hold a secret is an option that is named after one, or any
# option of some programs. In a document its value is a word of its own: nothing is asked about it.
_find_telling_option = re.compile(OPTION, re.IGNORECASE).search
_find_option = re.compile(r"-(?<![^\s\"']-)[A-Za-z\-]").search
_COMMANDS = tuple(
    one for kind in SECRET_KINDS if kind.name == "login_password" for one in kind.literals
)
_REST = tuple(
    one
    for one in _LITERALS
    if not (one.endswith(("-", "_")) or one.startswith("A") or one in _COMMANDS)
)
# Looking for a character is several times cheaper than for a word, and these are rare.
_RARE = tuple(
    (rare, tuple(one for one in _REST if rare in one))
    for rare in "/9JRGB"
    if any(rare in one for one in _REST)
)
_COMMON = tuple(one for one in _REST if not any(rare in one for rare, _ in _RARE))


def is_suspect(text: str) -> bool:
    """Whether `text` may hold a secret; False is certain, True is not."""
    if "-" in text and (_find_dashed(text) or _has_option(text)):
        return True
    if "_" in text and _find_underscored(text):
        return True
    if "A" in text and _find_a(text):
        return True
    for rare, literals in _RARE:
        if rare in text:
            for literal in literals:
                if literal in text:
                    return True
    for literal in _COMMON:
        if literal in text:
            return True
    return _has_telling_name(text)


def _has_option(text: str) -> bool:
    """Whether an option stands there that may take a secret."""
    if _OPTION_DASHES in text and _find_telling_option(text):
        return True
    return bool(_find_option(text)) and any(command in text for command in _COMMANDS)


def redact(text: str, counts: dict[str, int]) -> str:
    """Return `text` without secrets and add what was found to `counts`, by kind."""
    if not is_suspect(text):
        return text
    for kind in SECRET_KINDS:
        if any(literal in text for literal in kind.literals):
            text = _take_out(kind, text, counts)
    if _has_telling_name(text):
        for kind in _NAMED_KINDS:
            text = _take_out(kind, text, counts)
    return text


def _has_telling_name(text: str) -> bool:
    """Whether a name such as `password` stands before a separator."""
    if "=" not in text and ":" not in text:
        return False
    pieces = text.replace(":", "=").split("=")
    pieces.pop()
    # Patterns allow white space only behind a name, so it is in the last word of its piece.
    last_words = ""
    for piece in pieces:
        for word in piece[-NAME_REACH:].rsplit(None, 1)[-1:]:
            last_words += word + " "
    last_words = last_words.lower()
    for word in TELLING_WORDS:
        if word in last_words:
            return any(TELLING_NAME.search(piece[-NAME_REACH:]) for piece in pieces)
    return False


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


def _take_out(kind: SecretKind, text: str, counts: dict[str, int]) -> str:
    def replace(match: re.Match[str]) -> str:
        if kind.is_secret is not None and not kind.is_secret(match):
            return match[0]
        counts[kind.name] = counts.get(kind.name, 0) + 1
        start, end = match.span("secret")
        if start < 0:  # a URL with a token in the user's place
            start, end = match.span("user")
        offset = match.start()
        return f"{match[0][: start - offset]}{MARK}{kind.name}]{match[0][end - offset :]}"

    return kind.pattern.sub(replace, text)
