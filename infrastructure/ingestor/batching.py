"""When a batch closes, and where messages are cut between batches; pure.

A batch closes on size, bytes or age, whichever comes first; at once when nothing more is on its way
and the last one closed long enough ago, so that an event on an idle system is in SQL after one
insert's time, while a trickle of events does not become a part on disk each.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from infrastructure.ingestor.protocol import RawBatch

PARTITION_ROWS = 1_000_000
"""Width of a partition of swarm.events in sequences; a batch never crosses its edge."""
PIECE_ROWS = 1_000
PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLimits:
    """When a batch is due."""

    max_rows: int = 50_000
    max_bytes: int = 16 * 1024 * 1024
    """Of encoded rows, which carry each event twice: as received and decodable."""
    max_age_seconds: float = 0.1
    """Longest that an event waits for others; also the shortest time between two batches that are
    not full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchState:
    """What is known about the open batch."""

    rows: int
    size_bytes: int
    is_cut: bool
    """The next message belongs to another partition."""
    opened_at: float
    """When its first message was added, seconds of the monotonic clock."""
    closed_at: float
    """When the batch before it closed."""
    is_drained: bool
    """Nothing more is on its way."""


def is_full(limits: BatchLimits, state: BatchState) -> bool:
    """Return whether the batch takes no more."""
    return state.is_cut or state.rows >= limits.max_rows or state.size_bytes >= limits.max_bytes


def due_at(limits: BatchLimits, state: BatchState) -> float | None:
    """Return when the batch is to be closed; in the past: now; None: it is empty."""
    if not state.rows:
        return None
    if is_full(limits, state):
        return state.opened_at
    by_age = state.opened_at + limits.max_age_seconds
    if state.is_drained:
        return min(by_age, state.closed_at + limits.max_age_seconds)
    return by_age


def pieces(batch: RawBatch) -> Iterator[RawBatch]:
    """Cut messages into runs that are short to work on and never cross the edge of a partition."""
    if not batch.sequences:
        return
    rows = PIECE_ROWS
    if batch.size_bytes > PIECE_BYTES:
        rows = max(1, min(rows, len(batch) * PIECE_BYTES // batch.size_bytes))
    start, total = 0, len(batch)
    while start < total:
        end = min(start + rows, total)
        edge = next_edge(batch.sequences[start])
        if batch.sequences[end - 1] >= edge:
            end = bisect_left(batch.sequences, edge, start, end)
        yield RawBatch(
            batch.sequences[start:end], batch.subjects[start:end], batch.payloads[start:end]
        )
        start = end


def next_edge(sequence: int) -> int:
    """Return the first sequence of the partition after the one that `sequence` lies in."""
    return (sequence // PARTITION_ROWS + 1) * PARTITION_ROWS
