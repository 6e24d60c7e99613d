"""Chains of emitters: what is dropped, swapped or changed is found; what is whole passes."""

from collections.abc import Sequence
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from infrastructure.history.verify.emitters import EmitterChains, Numbered
from infrastructure.history.verify.findings import Problem, ProblemKind, UnprovenKind

LENGTHS = st.integers(min_value=2, max_value=40)


def life(emitter_id: str, count: int, *, is_stopped: bool = True) -> list[Numbered]:
    """Return a whole life in its own order."""
    events: list[Numbered] = []
    digest = b""
    for number in range(1, count + 1):
        own = sha256(f"{emitter_id}/{number}".encode()).digest()
        final = count if is_stopped and number == count else 0
        events.append(Numbered(emitter_id, number, number, f"id-{number}", own, digest, b"", final))
        digest = own
    return events


def check(events: Sequence[Numbered]) -> tuple[list[Problem], set[UnprovenKind]]:
    chains = EmitterChains("S", from_start=True)
    for sequence, event in enumerate(events, 1):
        chains.observe(event._replace(sequence=sequence))
    problems, unproven = chains.finish()
    return problems, {item.kind for item in unproven}


@given(st.lists(LENGTHS, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_whole_lives_in_any_interleaving_are_proven(counts: list[int], random: object) -> None:
    lives = [life(f"e{index}", count) for index, count in enumerate(counts)]
    merged: list[Numbered] = []
    while any(lives):
        chosen = random.choice([one for one in lives if one])  # type: ignore[attr-defined]
        merged.append(chosen.pop(0))
    assert check(merged) == ([], set())


@given(LENGTHS, st.randoms(use_true_random=False))
def test_a_life_in_another_order_is_still_whole(count: int, random: object) -> None:
    events = life("e", count)
    random.shuffle(events)  # type: ignore[attr-defined]
    assert check(events) == ([], set())


@given(LENGTHS, st.data())
def test_a_dropped_event_is_a_gap(count: int, data: st.DataObject) -> None:
    events = life("e", count)
    dropped = data.draw(st.integers(0, count - 2))
    del events[dropped]
    problems, _ = check(events)
    assert [problem.kind for problem in problems] == [ProblemKind.EMITTER_GAP]
    assert f": {dropped + 1}" in problems[0].detail
    assert problems[0].event_id == f"id-{dropped + 2}"


@given(LENGTHS, st.data())
def test_a_changed_event_breaks_the_link_after_it(count: int, data: st.DataObject) -> None:
    events = life("e", count)
    changed = data.draw(st.integers(0, count - 2))
    events[changed] = events[changed]._replace(digest=b"\x01" * 32)
    problems, _ = check(events)
    assert [(problem.kind, problem.event_id) for problem in problems] == [
        (ProblemKind.EMITTER_CHAIN, f"id-{changed + 2}")
    ]


@given(LENGTHS, st.data())
def test_a_cut_tail_is_never_called_complete(count: int, data: st.DataObject) -> None:
    kept = data.draw(st.integers(1, count - 1))
    assert check(life("e", count)[:kept]) == ([], {UnprovenKind.OPEN_END})


@given(LENGTHS, st.data())
def test_a_repeated_event_is_asked_about_and_no_problem_by_itself(
    count: int, data: st.DataObject
) -> None:
    events = life("e", count)
    repeated = data.draw(st.integers(0, count - 1))
    chains = EmitterChains("S", from_start=True)
    for event in [*events, events[repeated]]:
        chains.observe(event)
    assert chains.take_repeats() == {("e", repeated + 1)}
    assert chains.finish() == ([], [])


@given(LENGTHS, st.booleans())
def test_the_event_after_a_tombstone_may_link_to_what_it_stands_for(
    count: int, links_to_refused: bool
) -> None:
    events = life("e", count)
    refused = sha256(b"refused").digest()
    previous = refused if links_to_refused else events[0].digest
    events[0] = events[0]._replace(refused_digest=refused)
    events[1] = events[1]._replace(previous_digest=previous)
    assert check(events) == ([], set())


@given(LENGTHS, st.integers(min_value=1, max_value=5))
def test_a_final_count_beyond_the_last_event_is_a_problem(count: int, more: int) -> None:
    events = life("e", count)
    events[-1] = events[-1]._replace(final_count=count + more)
    problems, _ = check(events)
    assert [problem.kind for problem in problems] == [ProblemKind.EMITTER_COUNT]


@given(LENGTHS)
def test_an_emitter_that_does_not_link_is_unproven(count: int) -> None:
    events = [event._replace(previous_digest=b"") for event in life("e", count)]
    assert check(events) == ([], {UnprovenKind.UNCHAINED})


@given(LENGTHS, st.data())
def test_a_range_that_begins_within_a_life_says_so(count: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(1, count - 1))
    chains = EmitterChains("S", from_start=False)
    for event in life("e", count)[start:]:
        chains.observe(event)
    problems, unproven = chains.finish()
    assert problems == []
    assert {item.kind for item in unproven} == {UnprovenKind.UNKNOWN_START}
