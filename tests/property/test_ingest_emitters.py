"""The tracker of emitters agrees with a plain set, whatever the order of numbers."""

from hypothesis import given
from hypothesis import strategies as st

from infrastructure.ingestor.emitters import (
    EmitterTracker,
    Numbered,
    SeenNumbers,
    short_name,
    with_short_names,
)

EMITTERS = st.sampled_from(["a", "b", "c"])
NUMBERS = st.lists(st.tuples(EMITTERS, st.integers(1, 12)), max_size=40)


@given(known=NUMBERS, numbers=NUMBERS)
def test_exactly_the_repeats_are_marked(
    known: list[tuple[str, int]], numbers: list[tuple[str, int]]
) -> None:
    tracker, seen = EmitterTracker(), set(known)
    tracker.learn("abc", {(emitter, number, number) for emitter, number in known})
    numbered: list[Numbered] = [(at, *one) for at, one in enumerate(numbers)]
    expected = set()
    for at, emitter, number in numbered:
        if (emitter, number) in seen:
            expected.add(at)
        seen.add((emitter, number))
    assert tracker.mark(numbered) == expected


@given(numbers=st.lists(st.integers(1, 30)))
def test_numbers_are_kept_as_the_fewest_intervals(numbers: list[int]) -> None:
    seen = SeenNumbers()
    for number in numbers:
        seen.add(number)
    covered = [n for first, last in seen.intervals for n in range(first, last + 1)]
    assert covered == sorted(set(numbers))
    starts = {first for first, _ in seen.intervals}
    assert not starts & {last + 1 for _, last in seen.intervals}


def test_the_emitters_used_last_are_the_ones_remembered() -> None:
    tracker = EmitterTracker(max_emitters=2)
    for emitter in "abc":
        tracker.learn([emitter], [])
        tracker.mark([(0, emitter, 1)])
    assert tracker.missing([(0, one, 1) for one in "abc"]) == {"a"}


@given(names=st.lists(st.sampled_from(["a" * 1025, "b" * 1024, "sha256 x", "b"]), max_size=12))
def test_long_names_are_told_apart_by_short_ones(names: list[str]) -> None:
    names += [short_name(name) for name in names]
    numbered: list[Numbered] = [(at, name, 1) for at, name in enumerate(names)]
    short = [name for _, name, _ in with_short_names(numbered, names)]
    assert all(len(name) <= 1024 for name in short)
    assert len(set(short)) == len(set(names))
