"""Finds secrets in bytes: spans by kind, in order, none overlapping.

Pure but for patterns of the user's own, which `use_own_patterns` sets once for the process. What is
found on the way is ordered by how much a kind says: where finds overlap, all that they cover goes,
under the kind that says most.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from nervous_system.telemetry.secret_kinds import (
    ADDRESS_REACH,
    ANY_OPTION,
    AT_SIGN,
    AWS_SECRET_BEHIND_KEY,
    AWS_SECRET_VALUE,
    BASIC_AUTH,
    NAMED_LEADS,
    NAMES,
    OPTIONS,
    PREFIXED,
    PRIVATE_KEY,
    VALUE,
    VALUE_OF_LINE,
    WORDED,
    WORDS_BEFORE_SPACE,
    Searched,
    is_named_secret,
    is_placeholder,
    kind_of_group,
    led_patterns,
)

if TYPE_CHECKING:
    import re

_LED = led_patterns(PREFIXED)
_LED_SEARCHES = tuple((lead, pattern.search) for lead, pattern in _LED)
_NAMED_SEARCHES = tuple(pattern.search for pattern in NAMES)
_NAME_CHARACTERS = b"abcdefghijklmnopqrstuvwxyz0123456789_-. "
_PREFIXED, _FOUND_BY_PLACE, _NAMED = range(3)


class Secret(NamedTuple):
    """Where a secret is."""

    start: int
    end: int
    rank: int
    """How general its kind is; the least general of overlapping ones gives the name."""
    kind: str


@dataclass(slots=True)
class _Own:
    """Patterns of the user's own, of this process."""

    patterns: Mapping[str, "re.Pattern[bytes]"]


_own = _Own({})


def use_own_patterns(patterns: Mapping[str, "re.Pattern[bytes]"]) -> None:
    """Look from now on also for these, by kind; a group `secret`, where there is one, is what goes.

    Args:
        patterns: take the place of those of an earlier call.
    """
    _own.patterns = dict(patterns)


def may_hold(data: bytes) -> bool:
    """Whether there may be a secret; False is certain, True is not."""
    for lead, search in _LED_SEARCHES:
        if lead in data and search(data):
            return True
    if b"-" in data and _may_hold_dashed(data):
        return True
    if b"@" in data and _may_hold_address(data):
        return True
    folded = data.lower()
    if b"bearer" in folded:
        return True
    if b"=" in data or b":" in data or _has_word_before_space(folded):
        for search in _NAMED_SEARCHES:
            if search(folded):
                return True
    return bool(_own.patterns) and any(one.search(data) for one in _own.patterns.values())


def _has_word_before_space(folded: bytes) -> bool:
    # a loop takes a fifth of what `any` over a generator does, and every text comes by here
    for word in WORDS_BEFORE_SPACE:  # noqa: SIM110
        if word in folded:
            return True
    return False


def _may_hold_dashed(data: bytes) -> bool:
    if b"-----BEGIN" in data:
        return True
    return bool(ANY_OPTION.search(data)) and _fits_any(OPTIONS, data)


def _may_hold_address(data: bytes) -> bool:
    """Whether an `@` stands where one ends a password: few do, and the search for them is short."""
    at = data.find(b"@")
    while at >= 0:
        slash = data.rfind(b"/", max(0, at - ADDRESS_REACH), at)
        is_address = slash > 0 and data[slash - 1] in b"/\\" and data.find(b" ", slash, at) < 0
        if is_address or data.startswith((b"@tcp(", b"@unix("), at):
            return _fits_any(AT_SIGN, data)
        at = data.find(b"@", at + 1)
    return False


def _fits_any(rules: Iterable[Searched], data: bytes) -> bool:
    for rule in rules:
        for word in rule.words:
            if word in data and rule.pattern.search(data):
                return True
    return False


def find_secrets(data: bytes) -> list[Secret]:
    """Return all secrets, in order; what overlaps is one."""
    if not may_hold(data):
        return []
    found = sorted(all_candidates(data))
    if not found:
        return found
    merged = [found[0]]
    for secret in found[1:]:
        last = merged[-1]
        if secret.start >= last.end:
            merged.append(secret)
        else:
            rank, kind = min((last.rank, last.kind), (secret.rank, secret.kind))
            merged[-1] = Secret(last.start, max(last.end, secret.end), rank, kind)
    return [_whole_characters(data, secret) for secret in merged]


def _whole_characters(data: bytes, secret: Secret) -> Secret:
    """End behind a whole character of UTF-8, never within one."""
    end = secret.end
    while end < len(data) and 0x80 <= data[end] < 0xC0:
        end += 1
    return secret if end == secret.end else secret._replace(end=end)


def all_candidates(data: bytes) -> Iterator[Secret]:
    """Yield what every kind finds, in no order; kinds may find the same."""
    for match in PRIVATE_KEY.finditer(data):
        yield Secret(*match.span(), _PREFIXED, "private_key")
    for _, pattern in _LED:
        yield from _prefixed(data, pattern)
    yield from _searched(data, AT_SIGN)
    yield from _searched(data, OPTIONS)
    folded = data.lower()
    yield from _worded(data, folded)
    yield from _named(data, folded)
    for kind, own in _own.patterns.items():
        for match in own.finditer(data):
            start, end = match.span("secret" if "secret" in own.groupindex else 0)
            if end > start:
                yield Secret(start, end, _PREFIXED, kind)


def _prefixed(data: bytes, pattern: "re.Pattern[bytes]") -> Iterator[Secret]:
    for match in pattern.finditer(data):
        group = match.lastgroup or ""
        kind, end = kind_of_group(group), match.end()
        yield Secret(match.start(group), end, _PREFIXED, kind)
        if kind == "aws_access_key" and (beside := AWS_SECRET_BEHIND_KEY.match(data, end)):
            yield Secret(*beside.span("secret"), _PREFIXED, "aws_secret_key")


def _searched(data: bytes, rules: Iterable[Searched]) -> Iterator[Secret]:
    for rule in rules:
        if any(word in data for word in rule.words):
            for match in rule.pattern.finditer(data):
                if rule.is_secret(match):
                    start, end = match.span("secret")
                    if start < 0:  # an address with a token in the user's place
                        start, end = match.span("user")
                    yield Secret(start, end, _FOUND_BY_PLACE, rule.kind)


def _worded(data: bytes, folded: bytes) -> Iterator[Secret]:
    for rule in WORDED:
        at = folded.find(rule.words[0])
        while at >= 0:
            match = rule.pattern.match(data, at)
            if match is not None and rule.is_secret(match):
                yield Secret(*match.span("secret"), _FOUND_BY_PLACE, rule.kind)
            at = folded.find(rule.words[0], match.end() if match is not None else at + 1)


def _named(data: bytes, folded: bytes) -> Iterator[Secret]:
    for lead in NAMED_LEADS:
        end = 0
        for match in lead.finditer(folded):
            if match.start() < end:
                continue  # within a secret: looking at each name in it again would take for ever
            secret = _named_value(data, folded, match)
            if secret is not None:
                end = secret.end
                yield secret


def _named_value(data: bytes, folded: bytes, name: "re.Match[bytes]") -> Secret | None:
    """Return the value behind a telling name, if it is a secret."""
    at = name.end()
    word = _name_around(folded, name.start(), name.end("tail"))
    if word.startswith(b"authorization"):
        match = BASIC_AUTH.match(data, at)
        if match is not None and not is_placeholder(match["secret"]):
            return Secret(*match.span("secret"), _FOUND_BY_PLACE, "basic_auth")
    pattern = VALUE_OF_LINE if name["equals"] == b":" else VALUE
    match = pattern.match(data, at)
    if match is None:
        return None
    group = match.lastgroup or "bare"
    start, end = match.span(group)
    if group != "bare" and _is_closing(folded, name, data[at:start]):
        return None
    if name["equals"] is None and (tag := data.find(b"<", start, end)) >= 0:
        end = tag  # of an element, which ends there
    value = data[start:end]
    equals = data[name.end("tail") : at].lstrip(b"\\\"'`]")
    is_secret = is_named_secret(
        word, equals, value, is_quoted=group != "bare", follows=data[end : end + 1]
    )
    return Secret(start, end, _NAMED, _kind_of_name(folded, name, value)) if is_secret else None


def _is_closing(folded: bytes, name: "re.Match[bytes]", quote: bytes) -> bool:
    """Whether the quote behind a separator ends what began before the name: `'Password: '`."""
    if quote[-1:] in folded[name.end("tail") : name.end() - 1]:
        return False
    before = folded[max(0, name.start() - 40) : name.start()].rstrip(_NAME_CHARACTERS)
    return before.endswith(quote) and not before.endswith(b"\\" + quote)


def _name_around(folded: bytes, start: int, end: int) -> bytes:
    """Return a name from its telling word on, which may begin before where it was recognised."""
    for behind, word in ((2, b"token"), (2, b"secret"), (7, b"authorization")):
        if folded.startswith(word, start - behind):
            return folded[start - behind : end]
    return folded[start:end]


def _kind_of_name(folded: bytes, name: "re.Match[bytes]", value: bytes) -> str:
    around = folded[max(0, name.start() - 24) : name.end("tail")]
    if AWS_SECRET_VALUE.match(value) and b"access" in around:
        return "aws_secret_key"
    if b"aws" in around and b"session" in around:
        return "aws_session_token"
    return "assigned_secret"
