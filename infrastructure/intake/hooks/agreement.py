"""Whether hooks and transcript saw the same of a session. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

HOOK = "hook"
_NEVER_BOTH = frozenset({"unknown type"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that not all sources saw."""

    what: str
    """tool_call, answer, prompt, subagent, unknown type."""
    item: str
    """Id or name."""
    shown: str
    """The tool's name, the beginning of the prompt."""
    seen_by: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What the sources of a session have in common, and what not."""

    sources: Sequence[str]
    counts: Mapping[str, Mapping[str, int]]
    """What to source to how many of it that source saw."""
    differences: Sequence[Difference]

    @property
    def is_complete(self) -> bool:
        """Whether every source saw all that another saw."""
        return not self.differences


def compare(sources: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> Agreement:
    """Return how far the sources of a session agree.

    Args:
        sources: that saw lines of it.
        rows: what was seen: `what`, `item`, `shown`, the `sources` that saw it, and, of calls,
            those that saw them `answered`.
    """
    all_sources = sorted(set(sources))
    counts: dict[str, dict[str, int]] = {}
    differences: list[Difference] = []
    for row in rows:
        seen = sorted(one for one in row["sources"] if one)
        tally = counts.setdefault(row["what"], dict.fromkeys(all_sources, 0))
        for source in seen:
            tally[source] = tally.get(source, 0) + 1
        if row["what"] in _NEVER_BOTH or seen != all_sources:
            differences.append(_difference(row["what"], row, seen))
            continue
        answered = sorted(one for one in row["answered"] if one)
        if answered and answered != all_sources:
            differences.append(_difference("answer", row, answered))
    return Agreement(sources=all_sources, counts=counts, differences=differences)


def _difference(what: str, row: Mapping[str, Any], seen: Sequence[str]) -> Difference:
    return Difference(what=what, item=row["item"], shown=row["shown"], seen_by=seen)
