"""Whatever an agent notes or asks: windows keep to their budget, rankings lose nothing."""

import contextlib
import json

from hypothesis import given
from hypothesis import strategies as st

from cortex.memory.short_term import Note, Window, parse_window
from cortex.memory.words import affordable, fuse, question_words, weigh

NOTES = st.builds(
    Note,
    topic=st.sampled_from(["a", "b"]),
    kind=st.sampled_from(["decided", "sent back"]),
    text=st.text(max_size=80),
    memory_id=st.sampled_from(["", "e1", "e2"]),
    relevance=st.sampled_from([0.0, 1.0, 2.0]),
)
BUDGETS = st.integers(min_value=2, max_value=60)


def window_of(notes: list[Note], budget: int) -> Window:
    window = Window(budget_tokens=budget)
    for note in notes:
        window = window.add(note)
    return window


@given(st.lists(NOTES, max_size=20), BUDGETS)
def test_window_never_exceeds_its_budget(notes: list[Note], budget: int) -> None:
    assert window_of(notes, budget).tokens <= budget


@given(st.lists(NOTES, min_size=1, max_size=20), BUDGETS)
def test_newest_note_stays_as_far_as_it_fits(notes: list[Note], budget: int) -> None:
    last = window_of(notes, budget).notes[-1]
    assert notes[-1].text.startswith(last.text.removesuffix("…"))
    assert (last.topic, last.kind) == (notes[-1].topic, notes[-1].kind)


@given(st.lists(NOTES, max_size=20), NOTES, BUDGETS)
def test_nothing_leaves_for_what_is_less_relevant_or_older(
    notes: list[Note], newest: Note, budget: int
) -> None:
    before = window_of(notes, budget)
    after = before.add(newest)
    places = {note: place for place, note in enumerate(before.notes)}
    stayed = [note for note in before.notes if note in after.notes[:-1]]
    left = [note for note in before.notes if note not in after.notes and note != newest]
    for gone in left:
        assert all((gone.relevance, places[gone]) < (one.relevance, places[one]) for one in stayed)


@given(st.lists(NOTES, max_size=20))
def test_window_with_room_keeps_every_note_once_in_order(notes: list[Note]) -> None:
    kept = window_of(notes, 10_000).notes
    assert list(kept) == [n for i, n in enumerate(notes) if n not in notes[i + 1 :]]


@given(st.lists(NOTES, max_size=20), BUDGETS)
def test_parsing_gives_back_what_was_written(notes: list[Note], budget: int) -> None:
    window = window_of(notes, budget)
    assert parse_window(window.as_bytes(), budget) == window


@given(
    st.one_of(
        st.binary(max_size=30),
        st.recursive(st.none() | st.integers() | st.text(), st.lists).map(
            lambda value: json.dumps(value).encode()
        ),
    )
)
def test_foreign_bytes_are_refused_or_read_but_nothing_else(content: bytes) -> None:
    with contextlib.suppress(ValueError):
        parse_window(content)


@given(st.text(max_size=200))
def test_words_of_a_question_are_found_in_it(question: str) -> None:
    words = question_words(question)
    assert len(set(words)) == len(words)
    assert all(word.lower() in question.lower() for word in words)
    assert question_words(" ".join(words)) == words


COUNTS = st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(0, 1000), max_size=12)


@given(COUNTS)
def test_rarer_words_weigh_more(counts: dict[str, int]) -> None:
    weights = weigh(counts, 1_000)
    assert set(weights) == {word for word, count in counts.items() if count}
    by_count = sorted(weights, key=lambda word: counts[word])
    assert [weights[word] for word in by_count] == sorted(weights.values(), reverse=True)


@given(COUNTS, st.integers(1, 2_000))
def test_search_reads_no_more_than_it_may_unless_for_one_word(
    counts: dict[str, int], room: int
) -> None:
    chosen = affordable(counts, room)
    assert bool(chosen) == any(counts.values())
    assert len(chosen) <= 1 or sum(counts[word] for word in chosen) <= room


RANKINGS = st.lists(st.lists(st.sampled_from("abcdefgh"), unique=True), max_size=3)


@given(RANKINGS)
def test_fused_ranking_holds_everything_once(rankings: list[list[str]]) -> None:
    fused = fuse(rankings)
    assert sorted(fused) == sorted({one for ranking in rankings for one in ranking})


@given(RANKINGS)
def test_what_every_ranking_prefers_comes_first(rankings: list[list[str]]) -> None:
    fused = fuse(rankings)
    places = {one: place for place, one in enumerate(fused)}
    for better in fused:
        for worse in fused:
            pairs = [(r.index(better), r.index(worse)) for r in rankings if {better, worse} <= {*r}]
            if len(pairs) == len(rankings) and pairs and all(b < w for b, w in pairs):
                assert places[better] < places[worse]
