"""What a repair rebuilds, and in which batches, so that the heads noted earlier hold again; pure.

A stretch is rebuilt between two heads that are known to be right. Its batches end where known heads
lead from one to the next over the stream's messages: nothing is guessed, each root is computed.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from infrastructure.history.verify.ledger import Leaves
from infrastructure.ingestor.batching import PARTITION_ROWS
from infrastructure.ingestor.ledger import Head, next_root

MAX_TRIES = 16
"""Known heads that are tried as the end of one batch."""

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Rebuild:
    """A stretch to be written anew, and the heads after each of its batches."""

    start: Head
    heads: tuple[Head, ...]

    @property
    def first(self) -> int:
        """First sequence of the stretch."""
        return self.start.sequence + 1

    @property
    def last(self) -> int:
        """Last sequence of the stretch."""
        return self.heads[-1].sequence

    def batches(self) -> list[tuple[Head, Head]]:
        """Return the heads before and after each batch."""
        return list(zip((self.start, *self.heads), self.heads, strict=False))


def merge_ranges(ranges: Iterable[Range]) -> list[Range]:
    """Return ranges in order, those that touch joined."""
    merged: list[Range] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def complement(ranges: Sequence[Range], first: int, last: int) -> list[Range]:
    """Return what of `first` to `last` lies outside ordered, disjoint ranges."""
    found: list[Range] = []
    for low, high in ranges:
        if first < low:
            found.append((first, min(low - 1, last)))
        first = max(first, high + 1)
    if first <= last:
        found.append((first, last))
    return found


def follower(leaves: Leaves, identity: str) -> Callable[[Head, Head], bool]:
    """Return a test whether the messages between two heads lead from one to the other."""

    def follows(before: Head, after: Head) -> bool:
        start = bisect_right(leaves.sequences, before.sequence)
        end = bisect_right(leaves.sequences, after.sequence)
        if start == end or leaves.sequences[end - 1] != after.sequence:
            return False
        pieces = leaves.between(start, end)
        return next_root(before.root, identity, pieces) == after.root

    return follows


def find_path(
    start: Head,
    pool: Sequence[Head],
    follows: Callable[[Head, Head], bool],
    goal: Head | None,
) -> list[Head]:
    """Return the heads from `start` on that follow one another.

    Args:
        start: a head that is right.
        pool: known heads, also wrong ones.
        follows: whether the messages between two heads lead from one to the other.
        goal: where to arrive; None: as far as possible.

    Returns:
        The heads after `start`, up to the goal; empty where no way leads there.
    """
    ordered = sorted(set(pool))
    sequences = [head.sequence for head in ordered]
    path = [start]
    waiting = [_next(ordered, sequences, start)]
    dead: set[Head] = set()
    best: list[Head] = []
    while waiting:
        step = next((head for head in waiting[-1] if head not in dead), None)
        if step is None:
            dead.add(path.pop())
            waiting.pop()
        elif follows(path[-1], step):
            path.append(step)
            waiting.append(_next(ordered, sequences, step))
            if step == goal:
                return path[1:]
            if not best or step.sequence > best[-1].sequence:
                best = path[1:]
    return best if goal is None else []


def _next(ordered: Sequence[Head], sequences: Sequence[int], head: Head) -> Iterable[Head]:
    start = bisect_right(sequences, head.sequence)
    return iter(ordered[start : start + MAX_TRIES])


def partition_of(sequence: int) -> int:
    """Return the number of the partition that holds a sequence."""
    return sequence // PARTITION_ROWS


def partitions_of(ranges: Iterable[Range]) -> list[int]:
    """Return the numbers of the partitions that ranges lie in."""
    found: set[int] = set()
    for first, last in ranges:
        found.update(range(partition_of(first), partition_of(last) + 1))
    return sorted(found)


def by_partition(rebuilds: Iterable[Rebuild]) -> dict[int, list[tuple[Head, Head]]]:
    """Return the batches of all rebuilds, as heads before and after, by their partition."""
    found: dict[int, list[tuple[Head, Head]]] = {}
    for rebuild in rebuilds:
        for before, after in rebuild.batches():
            found.setdefault(partition_of(after.sequence), []).append((before, after))
    return found
