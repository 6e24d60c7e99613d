"""Which numbers of which emitters a stream has carried, so that repeats are flagged exactly.

Pure: who asks history about emitters that are not known here is the service. Numbers are kept as
intervals; an emitter that counts on from where it was costs one comparison.
"""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from hashlib import sha256

Interval = tuple[int, int]
Numbered = tuple[int, str, int]
"""Position in the batch, emitter id, emitter sequence."""

MAX_EMITTERS = 200_000
"""How many emitters are remembered; several times the largest batch, so that none with a row still
on its way to history is forgotten."""

MAX_NAME_LENGTH = 1024
"""Longer emitter ids are remembered and asked for by their digest."""
DIGEST_MARK = "sha256 "
"""What stands before a digest in place of an id."""


def short_name(emitter: str) -> str:
    """Return what stands for an emitter here: its id, or the digest of a long one.

    An id that looks like such a digest is replaced by its own, so that no two share one.
    """
    if len(emitter) <= MAX_NAME_LENGTH and not emitter.startswith(DIGEST_MARK):
        return emitter
    return DIGEST_MARK + sha256(emitter.encode()).hexdigest()


def with_short_names(numbered: Sequence[Numbered], emitters: Iterable[str]) -> Sequence[Numbered]:
    """Return `numbered` with short names in the place of those of `emitters` that are too long."""
    short = {one: name for one in emitters if (name := short_name(one)) is not one}
    if not short:
        return numbered
    return [(at, short.get(emitter, emitter), number) for at, emitter, number in numbered]


class SeenNumbers:
    """The numbers seen of one emitter, as disjoint intervals in order."""

    __slots__ = ("_ends", "_starts")

    def __init__(self, intervals: Iterable[Interval] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for first, last in sorted(intervals):
            self._starts.append(first)
            self._ends.append(last)

    def add(self, number: int) -> bool:
        """Take note of `number` and return whether it was there already."""
        ends = self._ends
        if ends and ends[-1] + 1 == number:
            ends[-1] = number
            return False
        return self._insert(number)

    def _insert(self, number: int) -> bool:
        starts, ends = self._starts, self._ends
        at = bisect_right(starts, number)
        if at and ends[at - 1] >= number:
            return True
        joins_left = at > 0 and ends[at - 1] + 1 == number
        joins_right = at < len(starts) and starts[at] == number + 1
        if joins_left and joins_right:
            ends[at - 1] = ends.pop(at)
            starts.pop(at)
        elif joins_left:
            ends[at - 1] = number
        elif joins_right:
            starts[at] = number
        else:
            starts.insert(at, number)
            ends.insert(at, number)
        return False

    @property
    def intervals(self) -> list[Interval]:
        """The numbers seen, as closed intervals."""
        return list(zip(self._starts, self._ends, strict=True))


class EmitterTracker:
    """What each emitter of one stream has numbered so far.

    Before `mark`, every emitter of the batch has to be known: ask history for those that `missing`
    names and hand the answer to `learn`. After a failed insert the tracker is ahead of history:
    make a new one.
    """

    def __init__(self, max_emitters: int = MAX_EMITTERS) -> None:
        self._max_emitters = max_emitters
        self._seen: OrderedDict[str, SeenNumbers] = OrderedDict()

    def __len__(self) -> int:
        return len(self._seen)

    def missing(self, numbered: Sequence[Numbered]) -> set[str]:
        """Return the emitters of the batch that nothing is known about."""
        known = self._seen
        return {emitter for _, emitter, _ in numbered if emitter not in known}

    def learn(self, emitters: Iterable[str], intervals: Iterable[tuple[str, int, int]]) -> None:
        """Take what history knows about `emitters`: emitter, first and last of each interval."""
        found: dict[str, list[Interval]] = {emitter: [] for emitter in emitters}
        for emitter, first, last in intervals:
            found[emitter].append((first, last))
        for emitter, numbers in found.items():
            self._seen[emitter] = SeenNumbers(numbers)

    def mark(self, numbered: Sequence[Numbered]) -> set[int]:
        """Take note of a batch's numbers, in order; return the positions of repeats."""
        seen = self._seen
        repeated = {at for at, emitter, number in numbered if seen[emitter].add(number)}
        for emitter in {emitter for _, emitter, _ in numbered}:
            seen.move_to_end(emitter)
        while len(seen) > self._max_emitters:
            seen.popitem(last=False)
        return repeated
