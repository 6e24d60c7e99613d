"""The ledger against messages: a sound one passes, any single change is found in its own batch."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from infrastructure.history.verify.findings import ProblemKind
from infrastructure.history.verify.ledger import BrokenBatch, Entry, Leaves, LedgerCheck
from infrastructure.ingestor.ledger import GENESIS, next_root, prefixed

IDENTITY = "S@2026-01-01T00:00:00.000000Z"
GAPS = st.lists(st.integers(min_value=1, max_value=4), min_size=1, max_size=60)
SIZES = st.lists(st.integers(min_value=1, max_value=9), min_size=1, max_size=60)


def leaf(sequence: int, raw: bytes = b"") -> tuple[bytes, bytes, bytes]:
    return sequence.to_bytes(8, "big"), prefixed(b"a.b"), sha256(b"%d" % sequence + raw).digest()


def leaves_of(sequences: Sequence[int]) -> Leaves:
    return Leaves(list(sequences), [piece for one in sequences for piece in leaf(one)])


def ledger_of(gaps: list[int], sizes: list[int]) -> tuple[list[int], list[Entry]]:
    """Return sequences with gaps between them, and the ledger over batches of these sizes."""
    sequences = [sum(gaps[: index + 1]) for index in range(len(gaps))]
    entries: list[Entry] = []
    rest, root, last = sequences, GENESIS, 0
    for size in [*sizes, len(sequences)]:
        batch, rest = rest[:size], rest[size:]
        if not batch:
            break
        after = next_root(root, IDENTITY, leaves_of(batch).pieces)
        entries.append(Entry(batch[-1], last, root, after, len(batch), IDENTITY))
        root, last = after, batch[-1]
    return sequences, entries


def check(leaves: Leaves, entries: Sequence[Entry], cut: int = 0) -> list[BrokenBatch]:
    """Check in two stretches, cut behind sequence `cut`."""
    ledger = LedgerCheck(before=None, is_first=True)
    at = bisect_right(leaves.sequences, cut)
    first, rest = leaves.slice(0, at), leaves.slice(at, len(leaves.sequences))
    found = ledger.take(first, [entry for entry in entries if entry.sequence <= cut])
    found += ledger.take(rest, [entry for entry in entries if entry.sequence > cut])
    return found + ledger.finish()


@given(GAPS, SIZES, st.integers(min_value=0, max_value=200))
def test_a_sound_ledger_passes_however_it_is_cut(
    gaps: list[int], sizes: list[int], cut: int
) -> None:
    sequences, entries = ledger_of(gaps, sizes)
    assert check(leaves_of(sequences), entries, cut) == []


@given(GAPS, SIZES, st.data())
def test_a_changed_message_breaks_the_root_of_its_batch(
    gaps: list[int], sizes: list[int], data: st.DataObject
) -> None:
    sequences, entries = ledger_of(gaps, sizes)
    changed = data.draw(st.sampled_from(sequences))
    pieces = [piece for one in sequences for piece in leaf(one, b"!" if one == changed else b"")]
    found = check(Leaves(list(sequences), pieces), entries)
    assert [batch.kind for batch in found] == [ProblemKind.LEDGER_ROOT]
    assert found[0].first <= changed <= found[0].last


@given(GAPS, SIZES, st.data())
def test_a_dropped_message_breaks_count_and_root(
    gaps: list[int], sizes: list[int], data: st.DataObject
) -> None:
    sequences, entries = ledger_of(gaps, sizes)
    dropped = data.draw(st.sampled_from(sequences))
    found = check(leaves_of([one for one in sequences if one != dropped]), entries)
    assert {batch.kind for batch in found} == {ProblemKind.LEDGER_COUNT, ProblemKind.LEDGER_ROOT}


@given(GAPS, SIZES, st.data())
def test_a_changed_link_is_found(gaps: list[int], sizes: list[int], data: st.DataObject) -> None:
    sequences, entries = ledger_of(gaps, sizes)
    at = data.draw(st.integers(0, len(entries) - 1))
    entries[at] = replace(entries[at], prev_root=b"\x07" * 32)
    found = check(leaves_of(sequences), entries)
    assert ProblemKind.LEDGER_LINK in {batch.kind for batch in found}


@given(GAPS, SIZES, st.data())
def test_a_lost_entry_is_named_once_where_its_messages_prove_it(
    gaps: list[int], sizes: list[int], data: st.DataObject
) -> None:
    sequences, entries = ledger_of(gaps, sizes)
    lost = entries.pop(data.draw(st.integers(0, len(entries) - 1)))
    found = check(leaves_of(sequences), entries)
    assert [(batch.kind, batch.last) for batch in found] == [
        (ProblemKind.LEDGER_MISSING, lost.sequence)
    ]


@given(GAPS, SIZES)
def test_a_ledger_rewritten_from_the_start_passes_here_and_only_here(
    gaps: list[int], sizes: list[int]
) -> None:
    """Another cut into batches is sound by itself: only heads noted elsewhere tell them apart."""
    sequences, _ = ledger_of(gaps, sizes)
    _, rewritten = ledger_of(gaps, [1] * len(gaps))
    assert check(leaves_of(sequences), rewritten) == []
