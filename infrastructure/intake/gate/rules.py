"""Which rule speaks of a tool that an agent is about to use. Pure.

The first rule that fits decides; where none does, the policy's default. A rule fits if all that it
names fits. Of files, a rule that forbids fits where one of those named is touched; one that allows
fits only where all are.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

Action = Literal["allow", "deny", "ask"]
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
NO_RULE: Final = 0


Place = tuple[str, ...]
"""One place, by all its names: absolute, from where the agent works, from its user's directory."""
File = tuple[Place, ...]
"""A file: the place that was given, and, behind symbolic links, another where it really is."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern: text with `*` and `?`, or, behind `re:`, an expression that is found anywhere."""

    text: str
    compiled: "re.Pattern[str]" = field(compare=False, repr=False)

    def fits(self, text: str) -> bool:
        """Whether it fits the whole text, or, as an expression, any part of it."""
        return self.compiled.search(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule; what is empty is not looked at."""

    line: int
    """Where it begins in the policy's file, from 1."""
    action: Action
    reason: str = ""
    tools: tuple[Pattern, ...] = ()
    arguments: Mapping[str, tuple[Pattern, ...]] = field(default_factory=dict)
    """Name of an argument, `*` for any, to patterns of which one must fit."""
    paths: tuple[Pattern, ...] = ()
    agents: tuple[Pattern, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Rules in their order."""

    rules: tuple[Rule, ...]
    default: Action = "ask"
    reason: str = ""
    """What is said where no rule fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A tool that is about to be used."""

    tool: str
    arguments: Any
    agents: tuple[str, ...] = ()
    """Names of the agent: its id, and its type, if it has one."""
    files: tuple["File", ...] = ()
    """Files that it names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is decided."""

    action: Action
    reason: str
    rule: int
    """Which rule, from 1; 0: none fitted."""
    line: int = 0
    """Where it stands in the policy's file."""


def decide(policy: Policy, use: Use) -> Verdict:
    """Return what the first rule that fits says."""
    for number, rule in enumerate(policy.rules, start=1):
        if _fits(rule, use):
            reason = rule.reason or f"rule {number} of the policy (line {rule.line})"
            return Verdict(action=rule.action, reason=reason, rule=number, line=rule.line)
    reason = policy.reason or "no rule of the policy speaks of it"
    return Verdict(action=policy.default, reason=reason, rule=NO_RULE)


def _fits(rule: Rule, use: Use) -> bool:
    return (
        (not rule.tools or _any(rule.tools, use.tool))
        and all(
            _fits_argument(name, rule.arguments[name], use.arguments) for name in rule.arguments
        )
        and (not rule.paths or _fits_paths(rule, use.files))
        and (not rule.agents or any(_any(rule.agents, name) for name in use.agents))
    )


def _any(patterns: Sequence[Pattern], text: str) -> bool:
    return any(pattern.fits(text) for pattern in patterns)


def _fits_argument(name: str, patterns: Sequence[Pattern], arguments: Any) -> bool:
    if name == "*":
        return any(_any(patterns, text) for text in texts_of(arguments))
    value = arguments.get(name) if isinstance(arguments, Mapping) else None
    return any(_any(patterns, text) for text in texts_of(value))


def texts_of(value: Any) -> list[str]:
    """Return all texts in a value, however deep; numbers and the like as JSON writes them."""
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for member in value.values() for text in texts_of(member)]
    if isinstance(value, list | tuple):
        texts = [text for member in value for text in texts_of(member)]
        # a command as a list of words is also looked at as it would be typed
        return [*texts, " ".join(value)] if all(isinstance(one, str) for one in value) else texts
    return [str(value).lower() if isinstance(value, bool) else str(value)]


def _fits_paths(rule: Rule, files: Sequence[File]) -> bool:
    """Allowing needs all places of all files, so that no link leads out of what is allowed."""
    fitting = [[_fits_place(rule, place) for place in file] for file in files]
    if rule.action == "allow":
        return bool(fitting) and all(all(places) for places in fitting)
    return any(any(places) for places in fitting)


def _fits_place(rule: Rule, place: Place) -> bool:
    return any(_any(rule.paths, name) for name in place)


def compile_pattern(text: str, *, is_path: bool = False) -> Pattern:
    """Return a pattern of a policy; of paths, `*` ends at a `/` and `**` does not.

    Raises:
        ValueError: it is no regular expression.
    """
    if text.startswith("re:"):
        try:
            return Pattern(text, re.compile(text[3:], re.DOTALL))
        except re.error as error:
            raise ValueError(f"{text[3:]!r} is no regular expression: {error}") from error
    return Pattern(text, re.compile(rf"\A(?:{_glob(text, is_path=is_path)})\Z", re.DOTALL))


def _glob(text: str, *, is_path: bool) -> str:
    if not is_path:
        return "".join({"*": ".*", "?": "."}.get(one, re.escape(one)) for one in text)
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", text)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(meaning.get(piece, re.escape(piece)) for piece in pieces)
