"""What a stretch's rows have to be, where many emitters have been seen before."""

from infrastructure.history.verify.messages import Messages
from infrastructure.history.verify.stretch import make_maker
from infrastructure.ingestor.emitters import MAX_EMITTERS
from tests.support.ledgered import STREAM, life_of


def test_a_repeat_is_known_however_many_emitters_came_between() -> None:
    ((subject, raw),) = life_of("first", 1)
    maker = make_maker(STREAM, from_start=True, to_end=True)
    assert maker.make(Messages([1], [subject.encode()], [raw]), 1, 1).repeated == set()
    others = [(at, f"e{at}", 1) for at in range(MAX_EMITTERS + 1)]
    maker.tracker.learn(maker.tracker.missing(others), ())
    maker.tracker.mark(others)
    assert maker.make(Messages([2], [subject.encode()], [raw]), 2, 2).repeated == {0}
