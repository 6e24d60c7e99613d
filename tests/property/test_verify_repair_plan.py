"""What a repair rebuilds: heads are only ever joined where the messages between them prove it."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from infrastructure.history.verify.ledger import Leaves
from infrastructure.history.verify.repair_plan import (
    Rebuild,
    complement,
    find_path,
    follower,
    merge_ranges,
    partitions_of,
)
from infrastructure.ingestor.ledger import Head, next_root

IDENTITY = "S@2026-01-01T00:00:00.000000Z"
RANGES = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 8)).map(lambda pair: (pair[0], sum(pair)))
)
SIZES = st.lists(st.integers(1, 6), min_size=1, max_size=12)


def covered(ranges: list[tuple[int, int]]) -> set[int]:
    return {one for first, last in ranges for one in range(first, last + 1)}


def chain(sizes: list[int], start: int = 0, root: bytes = bytes(32)) -> list[Head]:
    """Return the heads of batches of these sizes after `start`."""
    heads: list[Head] = []
    for size in sizes:
        sequences = range(start + 1, start + size + 1)
        root = next_root(root, IDENTITY, leaves(sequences).pieces)
        start += size
        heads.append(Head("S", start, root))
    return heads


def leaves(sequences: range) -> Leaves:
    pieces = [piece for one in sequences for piece in (b"%d" % one, b"s", b"d")]
    return Leaves(list(sequences), pieces)


@given(RANGES)
def test_merged_ranges_cover_the_same_and_never_touch(ranges: list[tuple[int, int]]) -> None:
    merged = merge_ranges(ranges)
    assert covered(merged) == covered(ranges)
    assert all(one[1] + 1 < other[0] for one, other in pairwise(merged))


@given(RANGES, st.integers(0, 30), st.integers(30, 70))
def test_a_complement_is_everything_else(
    ranges: list[tuple[int, int]], first: int, last: int
) -> None:
    rest = complement(merge_ranges(ranges), first, last)
    assert covered(rest) == set(range(first, last + 1)) - covered(ranges)


@given(SIZES, SIZES, st.data())
def test_the_noted_cut_is_found_again_among_heads_of_another_one(
    sizes: list[int], others: list[int], data: st.DataObject
) -> None:
    heads, wrong = chain(sizes), chain(others, root=b"\x01" * 32)
    pool = data.draw(st.permutations(heads + wrong))
    follows = follower(leaves(range(1, 200)), IDENTITY)
    assert find_path(Head("S", 0), pool, follows, heads[-1]) == heads
    assert find_path(Head("S", 0), pool, follows, None) == heads


@given(SIZES)
def test_no_way_is_found_over_messages_that_are_gone(sizes: list[int]) -> None:
    heads = chain(sizes)
    follows = follower(leaves(range(2, 200)), IDENTITY)
    assert find_path(Head("S", 0), heads, follows, heads[-1]) == []


@given(SIZES, SIZES)
def test_a_cut_that_forks_is_followed_to_the_goal(sizes: list[int], others: list[int]) -> None:
    """Both cuts are sound: the ledger was written anew from the same messages."""
    heads, fork = chain(sizes), chain(others)
    follows = follower(leaves(range(1, 200)), IDENTITY)
    path = find_path(Head("S", 0), heads + fork, follows, heads[-1])
    assert path[-1] == heads[-1]
    before = [Head("S", 0), *path]
    assert all(follows(one, two) for one, two in zip(before, path, strict=False))


def test_a_rebuild_is_its_batches_and_their_partitions() -> None:
    start, end = Head("S", 999_990), Head("S", 1_000_010)
    middle = Head("S", 999_999)
    rebuild = Rebuild(start, (middle, end))
    assert (rebuild.first, rebuild.last) == (999_991, 1_000_010)
    assert rebuild.batches() == [(start, middle), (middle, end)]
    assert partitions_of([(rebuild.first, rebuild.last)]) == [0, 1]
