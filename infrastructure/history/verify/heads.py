"""Heads that were noted outside history, against the ledger that history has now.

Pure. A head promises that the messages up to it are what they were. It holds when the ledger has
the same root at its sequence, or when its root follows again from the messages after an earlier
head.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from infrastructure.history.verify.ledger import Entry
from infrastructure.history.verify.signing import parse_signature
from infrastructure.ingestor.ledger import Head, format_head, parse_head


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A head as somebody else keeps it."""

    head: Head
    source: str
    """Who keeps it, for people."""
    signature: bytes = b""
    before: Head | None = None
    """The head noted before it in the same place."""


def parse_notes(notes: Iterable[bytes], source: str) -> list[Witness]:
    """Return the heads in `notes`, each knowing the one noted before it.

    A note is the text of a head, and behind a line break its signature where it has one. What is no
    head is passed over: it vouches for nothing.
    """
    found: list[Witness] = []
    before: Head | None = None
    for note in notes:
        text, _, signature = note.decode(errors="replace").partition("\n")
        try:
            head = parse_head(text)
        except ValueError:
            continue
        found.append(
            Witness(head=head, source=source, signature=parse_signature(signature), before=before)
        )
        before = head
    return found


def format_note(head: Head, signature: str = "") -> bytes:
    """Return what is noted of a head outside history."""
    return f"{format_head(head)}\n{signature}".rstrip("\n").encode()


@dataclass(slots=True)
class WitnessCheck:
    """Follows the ledger's entries and keeps the heads that they do not confirm."""

    waiting: dict[int, list[Witness]] = field(default_factory=dict)
    broken: list[Witness] = field(default_factory=list)
    """Heads at whose sequence the ledger has another root."""
    last_confirmed: int = 0
    """Highest sequence at which ledger and a witness agree."""
    unwitnessed: list[int] = field(default_factory=list)
    """Sequences of entries after the last confirmed one."""

    @classmethod
    def of(cls, witnesses: Sequence[Witness]) -> "WitnessCheck":
        """Return a check of these heads of one stream."""
        check = cls()
        for witness in witnesses:
            check.waiting.setdefault(witness.head.sequence, []).append(witness)
        return check

    def take(self, entries: Iterable[Entry]) -> None:
        """Compare the next entries of the ledger."""
        for entry in entries:
            witnesses = self.waiting.pop(entry.sequence, [])
            self.broken += [item for item in witnesses if item.head.root != entry.root]
            if any(item.head.root == entry.root for item in witnesses):
                self.last_confirmed = entry.sequence
                self.unwitnessed.clear()
            else:
                self.unwitnessed.append(entry.sequence)

    def take_pruned(self, heads: Iterable[Head]) -> list[Witness]:
        """Compare heads of pruned ranges; return what else was noted there, never to be judged."""
        last = 0
        for head in heads:
            witnesses = self.waiting.pop(head.sequence, [])
            self.broken += [item for item in witnesses if item.head.root != head.root]
            last = max(last, head.sequence)
        gone = sorted(sequence for sequence in self.waiting if sequence < last)
        return [witness for sequence in gone for witness in self.waiting.pop(sequence)]

    def unconfirmed(self, first: int, last: int) -> list[Witness]:
        """Return the heads from `first` to `last` that the ledger does not have, by sequence."""
        missed = [
            witness
            for sequence, witnesses in self.waiting.items()
            if first <= sequence <= last
            for witness in witnesses
        ]
        return sorted(self.broken + missed, key=lambda witness: witness.head.sequence)

    def outside(self, first: int, last: int) -> list[Witness]:
        """Return the heads that lie neither from `first` to `last` nor where an entry was."""
        found = [
            witness
            for sequence, witnesses in self.waiting.items()
            if not first <= sequence <= last
            for witness in witnesses
        ]
        return sorted(found, key=lambda witness: witness.head.sequence)

    def beyond(self, last: int) -> list[Witness]:
        """Return the heads after `last`, by sequence."""
        return self.outside(0, last)
