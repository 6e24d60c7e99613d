"""Cutting loses, repeats and reorders nothing, and covers every sequence of every span once."""

from itertools import pairwise
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from infrastructure.history.verify import cutting, span
from infrastructure.history.verify.cutting import Cut, Cutter
from infrastructure.history.verify.messages import Messages
from infrastructure.history.verify.span import plan_spans

FIRST, LAST = 7, 60
SEQUENCES = st.sets(st.integers(FIRST, LAST)).map(sorted)


def cut(batches: list[list[int]], span_size: int, max_messages: int) -> list[Cut]:
    with (
        patch.object(span, "SPAN_SEQUENCES", span_size),
        patch.object(cutting, "MAX_MESSAGES", max_messages),
    ):
        cutter = Cutter(plan_spans(FIRST, LAST))
        cuts: list[Cut] = []
        for some in batches:
            payloads = [str(one).encode() for one in some]
            cuts += cutter.add(Messages(some, [b"s"] * len(some), payloads))
        return [*cuts, *cutter.finish()]


@given(SEQUENCES, st.lists(st.integers(0, 54), max_size=5), st.integers(1, 70), st.integers(1, 20))
def test_each_sequence_is_in_one_cut_and_each_message_in_its_place(
    sequences: list[int], edges: list[int], span_size: int, max_messages: int
) -> None:
    bounds = [0, *sorted(edges), len(sequences)]
    batches = [sequences[one:two] for one, two in pairwise(bounds)]
    cuts = cut(batches, span_size, max_messages)
    covered = [one for found in cuts for one in range(found.first, found.last + 1)]
    assert covered == list(range(FIRST, LAST + 1))
    for found in cuts:
        expected = [one for one in sequences if found.first <= one <= found.last]
        assert found.messages.sequences == expected
        assert found.messages.payloads == [str(one).encode() for one in expected]


@given(SEQUENCES, st.integers(1, 70), st.integers(1, 20))
def test_spans_are_whole_and_stretches_bounded(
    sequences: list[int], span_size: int, max_messages: int
) -> None:
    cuts = cut([[one] for one in sequences], span_size, max_messages)
    assert all(len(found.messages) <= max_messages for found in cuts)
    assert all(found.span.first <= found.first <= found.last <= found.span.last for found in cuts)
    ends = [found.span.last for found in cuts if found.ends_span]
    assert ends == [one.last for one in _planned(span_size)]


def _planned(span_size: int) -> list[span.Span]:
    with patch.object(span, "SPAN_SEQUENCES", span_size):
        return list(plan_spans(FIRST, LAST))
