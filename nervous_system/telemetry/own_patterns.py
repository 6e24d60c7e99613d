r"""Patterns of secrets that only their users know: read from `redaction.json`, pure.

    {"patterns": {"customer_number": "KD-[0-9]{8}", "badge": "badge:\\s*(?P<secret>\\w+)"}}

A pattern is a regular expression of Python over bytes; its group `secret`, where it has one, is
what goes, else all that it fits. They run over all text that is looked at: what they cost is up to
their author.
"""

import json
import re
from collections.abc import Mapping

from nervous_system.errors import ConfigError

_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}")


def parse_patterns(text: str, source: str) -> Mapping[str, "re.Pattern[bytes]"]:
    """Return compiled patterns by kind.

    Args:
        text: the content of the file.
        source: its name, for errors.

    Raises:
        ConfigError: it is not of that form, or a pattern is none; the error names it.
    """
    try:
        value = json.loads(text)
    except ValueError as error:
        raise _refused(source, str(error)) from error
    patterns = value.get("patterns") if isinstance(value, dict) else None
    if not isinstance(patterns, dict) or set(value) != {"patterns"}:
        raise _refused(source, "not an object with `patterns` alone")
    return {kind: _compiled(source, kind, pattern) for kind, pattern in patterns.items()}


def _compiled(source: str, kind: str, pattern: object) -> "re.Pattern[bytes]":
    if not _KIND.fullmatch(kind):
        raise _refused(source, f"{kind!r} is no name of a kind")
    if not isinstance(pattern, str):
        raise _refused(source, f"the pattern of {kind} is no text")
    try:
        compiled = re.compile(pattern.encode())
    except re.error as error:
        raise _refused(source, f"the pattern of {kind}: {error}") from error
    if compiled.search(b"") is not None:
        raise _refused(source, f"the pattern of {kind} fits the empty text")
    return compiled


def _refused(source: str, reason: str) -> ConfigError:
    return ConfigError(
        variable=source,
        given=reason,
        expected='{"patterns": {"kind": "regular expression"}}, kinds in lower case',
        fix="correct it",
    )
