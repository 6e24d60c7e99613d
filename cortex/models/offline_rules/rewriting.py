"""One rule's rewrites on one file, checked before anybody sees them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from cortex.models.offline_rules import (
    bare_excepts,
    comparisons,
    encodings,
    mutable_defaults,
    unused_imports,
    unused_variables,
)
from cortex.models.offline_rules.edits import Done, Outcome, Refused, apply_edits
from cortex.models.offline_rules.module import Module
from cortex.models.offline_rules.source import UnreadableSourceError
from cortex.models.offline_rules.surroundings import Surroundings
from cortex.models.port import Finding

Rewrite = Callable[[Module, Sequence[Finding], Surroundings], list[Outcome]]

REWRITES: Mapping[str, Rewrite] = MappingProxyType(
    {
        "F841": unused_variables.rewrite,
        "F401": unused_imports.rewrite,
        "E711": comparisons.rewrite,
        "E712": comparisons.rewrite,
        "E722": bare_excepts.rewrite,
        "B006": mutable_defaults.rewrite,
        "PLW1514": encodings.rewrite,
    }
)
"""By rule, in the order in which they are applied."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What became of a text."""

    text: str
    done: tuple[Done, ...]
    refused: tuple[Refused, ...]


def rewrite_rule(
    text: str, rule: str, findings: Sequence[Finding], around: Surroundings
) -> Rewritten:
    """Apply one rule's rewrites; a rewrite that loses a comment or does not parse is refused.

    Raises:
        UnreadableSourceError: the text does not parse.
    """
    module = Module(text)
    outcomes = _rewrite(module, rule, findings, around)
    done = tuple(one for one in outcomes if isinstance(one, Done))
    refused = tuple(one for one in outcomes if isinstance(one, Refused))
    try:
        rewritten = apply_edits(text, (edit for one in done for edit in one.edits))
    except ValueError:
        return _undone(text, done, refused, "its rewrite overlaps with that of another finding")
    reason = _harm(module, rewritten)
    return _undone(text, done, refused, reason) if reason else Rewritten(rewritten, done, refused)


def _rewrite(
    module: Module, rule: str, findings: Sequence[Finding], around: Surroundings
) -> list[Outcome]:
    placed = [one for one in findings if 1 <= one.row <= len(module.lines)]
    lost = [one for one in findings if one not in placed]
    outcomes = REWRITES[rule](module, placed, around)
    return [*outcomes, *(Refused(one, "the file has no such line") for one in lost)]


def _undone(text: str, done: Sequence[Done], refused: Sequence[Refused], reason: str) -> Rewritten:
    return Rewritten(text, (), (*refused, *(Refused(one.finding, reason) for one in done)))


def _harm(before: Module, rewritten: str) -> str:
    """What is wrong with the text that came out; empty: nothing."""
    try:
        after = Module(rewritten)
    except UnreadableSourceError as error:
        return f"the rewritten file would be broken: {error}"
    if Counter(before.comments()) != Counter(after.comments()):
        return "a comment would be lost"
    return ""
