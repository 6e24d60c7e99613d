from dataclasses import replace

import pytest

from infrastructure.ingestor.batching import BatchLimits, BatchState, due_at, is_full, pieces
from infrastructure.ingestor.protocol import RawBatch

LIMITS = BatchLimits(max_rows=10, max_bytes=1_000, max_age_seconds=0.1)
OPEN = BatchState(
    rows=3, size_bytes=30, is_cut=False, opened_at=5.0, closed_at=4.95, is_drained=False
)


def test_an_empty_batch_is_never_due() -> None:
    assert due_at(LIMITS, replace(OPEN, rows=0)) is None


def test_a_batch_waits_no_longer_than_its_age() -> None:
    assert due_at(LIMITS, OPEN) == pytest.approx(5.1)


def test_an_event_on_an_idle_system_is_due_at_once() -> None:
    due = due_at(LIMITS, replace(OPEN, is_drained=True, closed_at=1.0))
    assert due is not None
    assert due <= OPEN.opened_at


def test_a_trickle_is_not_one_batch_per_event() -> None:
    assert due_at(LIMITS, replace(OPEN, is_drained=True)) == pytest.approx(5.05)


@pytest.mark.parametrize("change", [{"rows": 10}, {"size_bytes": 1_000}, {"is_cut": True}])
def test_a_full_batch_is_due_at_once(change: dict[str, int]) -> None:
    state = replace(OPEN, **change)  # type: ignore[arg-type]
    assert is_full(LIMITS, state)
    assert due_at(LIMITS, state) == OPEN.opened_at


def batch_of(sequences: list[int], size: int = 1) -> RawBatch:
    raws = [bytes(size)] * len(sequences)
    return RawBatch(sequences, [b"s"] * len(sequences), raws, size * len(sequences))


def test_no_piece_crosses_the_edge_of_a_partition() -> None:
    found = [piece.sequences for piece in pieces(batch_of([999_998, 999_999, 1_000_000]))]
    assert found == [[999_998, 999_999], [1_000_000]]


def test_a_gap_over_a_whole_partition_is_cut_too() -> None:
    found = [piece.sequences for piece in pieces(batch_of([999_999, 2_000_005]))]
    assert found == [[999_999], [2_000_005]]


def test_large_messages_make_short_pieces() -> None:
    found = [len(piece) for piece in pieces(batch_of(list(range(1, 9)), 1 << 20))]
    assert found == [1] * 8


def test_pieces_lose_and_reorder_nothing() -> None:
    sequences = list(range(1, 5_000))
    found = [seq for piece in pieces(batch_of(sequences)) for seq in piece.sequences]
    assert found == sequences
