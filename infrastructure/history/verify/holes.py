"""Sequences that neither stream nor history holds; pure.

A stream numbers without gaps, so a sequence that is nowhere was a message once. Where the ledger
was never told of it, it was removed before it was ingested.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from infrastructure.history.verify.findings import Unproven, UnprovenKind
from infrastructure.history.verify.repair_plan import Range, complement, merge_ranges

MAX_HOLES = 10_000
"""Holes that are remembered one by one; of those after them only the number."""
MAX_LISTED = 100
"""Holes that are listed one by one."""


@dataclass(slots=True)
class Holes:
    """Collects the holes of one stream, in order."""

    _ranges: list[Range] = field(default_factory=list)
    _uncounted: int = 0

    def take(self, sequences: Sequence[int], first: int, last: int) -> None:
        """Take the sequences of the messages there are from `first` to `last`, in order."""
        if len(sequences) == last - first + 1:
            return
        expected = first
        for sequence in sequences:
            if sequence > expected:
                self._add(expected, sequence - 1)
            expected = sequence + 1
        if expected <= last:
            self._add(expected, last)

    def doubts(self, stream: str, rows: Iterable[int]) -> list[Unproven]:
        """Return what is to be said, but for sequences at which history has `rows`."""
        present = merge_ranges((row, row) for row in rows)
        holes = [hole for first, last in self._ranges for hole in complement(present, first, last)]
        found = [_doubt(stream, *hole) for hole in holes[:MAX_LISTED]]
        rest = sum(last - first + 1 for first, last in holes[MAX_LISTED:]) + self._uncounted
        if rest:
            where = holes[MAX_LISTED][0] if len(holes) > MAX_LISTED else self._ranges[-1][1] + 1
            found.append(_told(stream, where, f"{rest} more sequences are in neither"))
        return found

    def _add(self, first: int, last: int) -> None:
        if self._ranges and self._ranges[-1][1] + 1 == first:
            self._ranges[-1] = (self._ranges[-1][0], last)
        elif len(self._ranges) < MAX_HOLES:
            self._ranges.append((first, last))
        else:
            self._uncounted += last - first + 1


def _doubt(stream: str, first: int, last: int) -> Unproven:
    where = f"{first} is" if first == last else f"{first} to {last} are"
    return _told(
        stream, first, f"{where} in neither stream nor history: gone before they were ingested"
    )


def _told(stream: str, sequence: int, detail: str) -> Unproven:
    return Unproven(kind=UnprovenKind.NEVER_STORED, stream=stream, sequence=sequence, detail=detail)
