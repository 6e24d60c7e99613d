"""Rows against messages: equal sets pass, and every single difference is named at its sequence."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from infrastructure.history.verify.findings import ProblemKind
from infrastructure.history.verify.rows import Fact, compare_rows

SEQUENCES = st.lists(st.integers(1, 500), min_size=2, max_size=40, unique=True).map(sorted)


def facts(sequences: list[int]) -> dict[int, Fact]:
    return {one: Fact(b"a.b", sha256(b"%d" % one).digest()) for one in sequences}


def found(messages: dict[int, Fact], rows: list[tuple[int, Fact]]) -> list[tuple[ProblemKind, int]]:
    return [(one.kind, one.sequence) for one in compare_rows(messages, rows)]


@given(SEQUENCES)
def test_rows_that_are_the_messages_have_no_difference(sequences: list[int]) -> None:
    messages = facts(sequences)
    assert found(messages, list(messages.items())) == []


@given(SEQUENCES, st.data())
def test_a_deleted_row_is_missing(sequences: list[int], data: st.DataObject) -> None:
    messages = facts(sequences)
    deleted = data.draw(st.sampled_from(sequences))
    rows = [(one, fact) for one, fact in messages.items() if one != deleted]
    assert found(messages, rows) == [(ProblemKind.MISSING_ROW, deleted)]


@given(SEQUENCES, st.data())
def test_a_doubled_row_is_named_once(sequences: list[int], data: st.DataObject) -> None:
    messages = facts(sequences)
    doubled = data.draw(st.sampled_from(sequences))
    rows = [*messages.items(), (doubled, messages[doubled])]
    assert found(messages, rows) == [(ProblemKind.DOUBLED_ROW, doubled)]


@given(SEQUENCES, st.data())
def test_a_row_without_a_message_is_foreign(sequences: list[int], data: st.DataObject) -> None:
    messages = facts(sequences)
    foreign = data.draw(st.integers(1, 600).filter(lambda one: one not in messages))
    rows = [*messages.items(), (foreign, Fact(b"a.b", b"\x00" * 32))]
    assert found(messages, rows) == [(ProblemKind.FOREIGN_ROW, foreign)]


@given(SEQUENCES, st.data())
def test_changed_bytes_and_changed_subjects_are_told_apart(
    sequences: list[int], data: st.DataObject
) -> None:
    messages = facts(sequences)
    raw, subject = data.draw(st.permutations(sequences))[:2]
    rows = dict(messages)
    rows[raw] = Fact(b"a.b", b"\x00" * 32)
    rows[subject] = Fact(b"c.d", messages[subject].digest)
    assert set(found(messages, list(rows.items()))) == {
        (ProblemKind.RAW_CHANGED, raw),
        (ProblemKind.SUBJECT_CHANGED, subject),
    }


@given(SEQUENCES, st.data())
def test_rows_that_changed_places_are_reordered(sequences: list[int], data: st.DataObject) -> None:
    messages = facts(sequences)
    one, other = data.draw(st.permutations(sequences))[:2]
    rows = dict(messages)
    rows[one], rows[other] = rows[other], rows[one]
    assert set(found(messages, list(rows.items()))) == {
        (ProblemKind.REORDERED_ROW, one),
        (ProblemKind.REORDERED_ROW, other),
    }
