"""A span: stretches that were loaded one after another and are compared with history at once.

Asking costs the engine as much as comparing some 20,000 rows, so it is asked rarely; what it takes
to ask again stretch by stretch is kept, the messages are not.
"""

from dataclasses import dataclass, field

from infrastructure.history.verify.findings import Problem
from infrastructure.history.verify.ledger import Leaves
from infrastructure.history.verify.stretch import Stretch

SPAN_MESSAGES = 200_000
"""Messages of one span; by it memory is bounded, at some 200 bytes each."""


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
    """Stretches in order, and what their events said of their emitters."""

    pieces: list[Piece] = field(default_factory=list)
    count: int = 0
    """How many messages they have."""
    problems: list[Problem] = field(default_factory=list)
    repeats: set[tuple[str, int]] = field(default_factory=set)
    """Emitter numbers that came twice."""

    @property
    def first(self) -> int:
        """First sequence."""
        return self.pieces[0].first

    @property
    def last(self) -> int:
        """Last sequence."""
        return self.pieces[-1].last

    @property
    def is_full(self) -> bool:
        """Whether it is time to compare."""
        return self.count >= SPAN_MESSAGES

    def add(self, stretch: Stretch) -> Piece:
        """Take note of a stretch; returns what is kept of it."""
        piece = Piece(stretch.first, stretch.last, stretch.leaves, set(stretch.repeated), set())
        self.pieces.append(piece)
        self.count += len(stretch.messages)
        return piece

    def leaves(self) -> Leaves:
        """Return all messages as the ledger sees them."""
        joined = Leaves([], [])
        joined.join(piece.leaves for piece in self.pieces)
        return joined
