"""Spans: sequences that are compared with history at once; known before a message is read.

Asking costs the engine as much as comparing some 20,000 rows, so it is asked rarely. Since a span's
ends are known beforehand, its rows are summed up while its messages are still on their way. What it
takes to ask again stretch by stretch is kept, the messages are not.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from infrastructure.history.verify.findings import Problem
from infrastructure.history.verify.ledger import Leaves
from infrastructure.history.verify.resources import Break
from infrastructure.history.verify.stretch import Stretch

SPAN_SEQUENCES = 200_000
"""Sequences of one span; by it memory is bounded, at some 200 bytes each."""


@dataclass(slots=True)
class Piece:
    """What is kept of a stretch."""

    first: int
    last: int
    leaves: Leaves
    repeated: set[int]
    """Positions of messages that repeat an emitter's number."""
    refused: set[int]
    """Positions of messages that the engine cannot decode."""


@dataclass(slots=True)
class Span:
    """Stretches in order, and what their events said of their emitters and of resources."""

    first: int
    last: int
    pieces: list[Piece] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    repeats: set[tuple[str, int]] = field(default_factory=set)
    """Emitter numbers that came twice."""
    breaks: list[Break] = field(default_factory=list)
    """Changes that do not start from the state before them."""

    def add(self, stretch: Stretch) -> Piece:
        """Take note of a stretch; returns what is kept of it."""
        piece = Piece(stretch.first, stretch.last, stretch.leaves, set(stretch.repeated), set())
        self.pieces.append(piece)
        return piece

    def leaves(self) -> Leaves:
        """Return all messages as the ledger sees them."""
        joined = Leaves([], [])
        joined.join(piece.leaves for piece in self.pieces)
        return joined


def plan_spans(first: int, last: int) -> Iterator[Span]:
    """Yield the spans of a range, empty as yet."""
    for start in range(first, last + 1, SPAN_SEQUENCES):
        yield Span(start, min(start + SPAN_SEQUENCES - 1, last))
