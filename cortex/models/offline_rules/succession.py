"""Findings that take the place of worse ones.

`except Exception` is reported too where BLE001 is on, and is still better than the bare except it
was: it lets Ctrl-C and exit through. Which errors were meant cannot be told from the source.
"""

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

SUCCESSORS: Mapping[str, str] = MappingProxyType({"E722": "BLE001"})
"""The rule that may report what a rewrite of the first one leaves."""


def new_findings(before: Counter[str], after: Counter[str]) -> Counter[str]:
    """What a file has more of than before, by rule, successors of what went away left out."""
    new = after - before
    for rule, successor in SUCCESSORS.items():
        gone = max(0, before[rule] - after[rule])
        new[successor] -= min(gone, new[successor])
    return +new


def succeeding(before: Counter[str], after: Counter[str]) -> dict[str, int]:
    """How many findings of which rule took the place of another."""
    grown = (after - before) - new_findings(before, after)
    return dict(grown)
