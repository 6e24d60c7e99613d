"""The ledger's entries against the messages: links, counts and roots, batch by batch.

Pure. An entry is the ledger part of a batch's last row; it names the head before it, so a batch is
the messages after that head up to the entry's own sequence.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from infrastructure.history.verify.findings import ProblemKind
from infrastructure.history.verify.messages import Messages
from infrastructure.ingestor.ledger import GENESIS, next_root, prefixed


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One link of the ledger."""

    sequence: int
    prev_sequence: int
    prev_root: bytes
    root: bytes
    count: int
    identity: str
    """`name@created` of the stream that the batch came from."""


@dataclass(frozen=True, slots=True)
class BrokenBatch:
    """A batch that is not what its entry says."""

    kind: ProblemKind
    first: int
    last: int
    detail: str
    entry: Entry | None = None


PIECES = 3
"""Pieces of one message's leaf: sequence, length-prefixed subject, SHA-256 of the raw bytes."""


@dataclass(slots=True)
class Leaves:
    """Messages as the ledger sees them, in stream order."""

    sequences: list[int]
    pieces: list[bytes]
    """`PIECES` for each message."""

    def add(self, messages: Messages) -> None:
        """Append messages as received."""
        self.sequences += messages.sequences
        for sequence, subject, raw in zip(
            messages.sequences, messages.subjects, messages.payloads, strict=True
        ):
            self.pieces += (
                sequence.to_bytes(8, "big"),
                prefixed(subject),
                sha256(raw).digest(),
            )

    def slice(self, start: int, end: int) -> "Leaves":
        """Return the messages from position `start` up to `end`."""
        return Leaves(self.sequences[start:end], self.pieces[PIECES * start : PIECES * end])

    def drop(self, count: int) -> None:
        """Remove the first messages."""
        del self.sequences[:count], self.pieces[: PIECES * count]

    def join(self, others: "Iterable[Leaves]") -> None:
        """Append messages that come after these."""
        for other in others:
            self.sequences += other.sequences
            self.pieces += other.pieces

    def between(self, start: int, end: int) -> list[bytes]:
        """Return the pieces of the messages from position `start` up to `end`."""
        return self.pieces[PIECES * start : PIECES * end]

    def after(self, sequence: int) -> "Leaves":
        """Return what lies after `sequence`."""
        start = bisect_right(self.sequences, sequence)
        return Leaves(self.sequences[start:], self.pieces[PIECES * start :]) if start else self


class LedgerCheck:
    """Follows one stream's ledger; `take` stretches in order, then `finish`.

    Messages of a batch that is not closed yet are kept, at most one batch of a sound ledger.
    """

    def __init__(self, *, before: Entry | None, is_first: bool) -> None:
        """Start after `before`, the entry at or below the first message.

        Args:
            before: None where there is none.
            is_first: nothing was ever before: the first entry must link to the genesis root.
        """
        self.head = before
        self._open = Leaves([], [])
        self._is_link_known = before is not None or is_first

    def take(self, leaves: Leaves, entries: Sequence[Entry]) -> list[BrokenBatch]:
        """Check the entries of a stretch against its messages."""
        self._open.join([leaves])
        found, start = list[BrokenBatch](), 0
        for entry in sorted(entries):
            end = bisect_right(self._open.sequences, entry.sequence, start)
            found += self._close(entry, self._open.slice(start, end))
            start = end
        self._open.drop(start)  # once: one by one takes a time that grows with the square
        return found

    def skip(self, last: int) -> None:
        """Forget what lies at or before `last`: its entries could not be read."""
        self._open.drop(bisect_right(self._open.sequences, last))
        self._is_link_known = False

    def finish(self) -> list[BrokenBatch]:
        """Return what no entry covers."""
        rest, self._open = self._open, Leaves([], [])
        return [_uncovered(rest)] if rest.sequences else []

    def _close(self, entry: Entry, batch: Leaves) -> list[BrokenBatch]:
        covered = batch.after(entry.prev_sequence)
        rest = len(batch.sequences) - len(covered.sequences)
        lost = Leaves(batch.sequences[:rest], batch.pieces[: PIECES * rest])
        found = []
        if lost.sequences:
            found.append(_uncovered(lost))
        if self._is_link_known and not self._explains(lost, entry):
            found += self._check_link(entry)
        self.head = entry
        self._is_link_known = True
        return found + _check_batch(entry, covered)

    def _explains(self, lost: Leaves, entry: Entry) -> bool:
        """Whether one lost entry over these messages is all that is missing before `entry`."""
        if not lost.sequences or lost.sequences[-1] != entry.prev_sequence:
            return False
        root = self.head.root if self.head else GENESIS
        return next_root(root, entry.identity, lost.pieces) == entry.prev_root

    def _check_link(self, entry: Entry) -> list[BrokenBatch]:
        root, sequence = (self.head.root, self.head.sequence) if self.head else (GENESIS, 0)
        if entry.prev_root == root and entry.prev_sequence == sequence:
            return []
        detail = (
            f"links to {entry.prev_sequence}:{entry.prev_root.hex()}, "
            f"the entry before it is {sequence}:{root.hex()}"
        )
        kind = ProblemKind.LEDGER_LINK
        return [BrokenBatch(kind, entry.sequence, entry.sequence, detail, entry)]


def _check_batch(entry: Entry, batch: Leaves) -> list[BrokenBatch]:
    first = batch.sequences[0] if batch.sequences else entry.sequence
    found = []
    if entry.count != len(batch.sequences):
        detail = f"counts {entry.count} messages, the batch has {len(batch.sequences)}"
        found.append(BrokenBatch(ProblemKind.LEDGER_COUNT, first, entry.sequence, detail, entry))
    root = next_root(entry.prev_root, entry.identity, batch.pieces)
    if entry.root != root:
        detail = f"root is {entry.root.hex()}, its messages give {root.hex()}"
        found.append(BrokenBatch(ProblemKind.LEDGER_ROOT, first, entry.sequence, detail, entry))
    return found


def _uncovered(batch: Leaves) -> BrokenBatch:
    return BrokenBatch(
        ProblemKind.LEDGER_MISSING,
        batch.sequences[0],
        batch.sequences[-1],
        "covered by no ledger entry",
    )
