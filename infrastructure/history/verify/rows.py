"""Rows against messages: what is missing, doubled, foreign, in another place, or changed.

Pure, and only asked about stretches where a digest over rows and messages has shown a difference.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from infrastructure.history.verify.findings import ProblemKind


@dataclass(frozen=True, slots=True)
class Fact:
    """What a message and its row have in common."""

    subject: bytes
    digest: bytes
    """SHA-256 of the raw bytes."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One sequence at which rows and messages differ."""

    kind: ProblemKind
    sequence: int
    detail: str


def compare_rows(
    messages: Mapping[int, Fact], rows: Sequence[tuple[int, Fact]]
) -> list[Difference]:
    """Return every difference, by sequence.

    Args:
        messages: the stream's messages of a stretch by sequence.
        rows: history's rows of the same stretch, as many per sequence as there are.
    """
    counts = Counter(sequence for sequence, _ in rows)
    places = _places(messages.items())
    found = [_missing(sequence) for sequence in messages if sequence not in counts]
    found += [_doubled(sequence, count) for sequence, count in counts.items() if count > 1]
    reported: set[int] = set()
    for sequence, row in rows:
        difference = _compare(sequence, messages.get(sequence), row, places)
        if difference is not None and sequence not in reported:
            reported.add(sequence)
            found.append(difference)
    return sorted(found, key=lambda difference: difference.sequence)


def _places(items: Iterable[tuple[int, Fact]]) -> dict[bytes, int]:
    places: dict[bytes, int] = {}
    for sequence, fact in items:
        places.setdefault(fact.digest, sequence)
    return places


def _missing(sequence: int) -> Difference:
    return Difference(ProblemKind.MISSING_ROW, sequence, "the stream's message has no row")


def _doubled(sequence: int, count: int) -> Difference:
    return Difference(ProblemKind.DOUBLED_ROW, sequence, f"{count} rows for one message")


def _compare(
    sequence: int, message: Fact | None, row: Fact, places: Mapping[bytes, int]
) -> Difference | None:
    if message is None:
        return Difference(ProblemKind.FOREIGN_ROW, sequence, "the stream has no such message")
    if row.digest != message.digest:
        place = places.get(row.digest)
        if place is not None:
            return Difference(
                ProblemKind.REORDERED_ROW, sequence, f"holds the message of sequence {place}"
            )
        return Difference(
            ProblemKind.RAW_CHANGED,
            sequence,
            f"raw has SHA-256 {row.digest.hex()}, the message {message.digest.hex()}",
        )
    if row.subject != message.subject:
        return Difference(
            ProblemKind.SUBJECT_CHANGED,
            sequence,
            f"subject is {row.subject!r}, the message's {message.subject!r}",
        )
    return None
