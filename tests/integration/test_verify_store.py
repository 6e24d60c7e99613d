"""The statements of verification on the real engine, where no tampering leads to them."""

from collections.abc import Iterator

import pytest

from infrastructure.history.client import HistoryClient, open_history
from infrastructure.history.config import HistoryConfig
from infrastructure.history.migrate import migrate
from infrastructure.history.verify.messages import Messages
from infrastructure.history.verify.refusal import refused_positions
from infrastructure.history.verify.store import open_store
from infrastructure.history.verify.stretch import make_maker
from tests.support.ledgered import STREAM, life_of


@pytest.fixture
def history(history_dsn: str) -> Iterator[HistoryClient]:
    with open_history(HistoryConfig(dsn=history_dsn)) as client:
        migrate(client)
        yield client


async def test_rows_that_the_engine_cannot_decode_are_found_by_halving(
    history: HistoryClient,
) -> None:
    events = life_of("e1", 9)
    messages = Messages(
        list(range(1, 10)), [subject.encode() for subject, _ in events], [raw for _, raw in events]
    )
    maker = make_maker(STREAM, from_start=True, to_end=True)
    stretch = maker.make(messages, 1, 9)
    parts = list(stretch.parts)
    for position in (2, 7):
        parts[2 * position + 1] = b"\xff" * len(parts[2 * position + 1])
    async with open_store(history) as store:
        assert refused_positions(store, parts) == {2, 7}
        assert refused_positions(store, stretch.parts) == set()
        again = maker.again(messages, 1, 9, set(), {2, 7})
        store.load(again.pieces, 9)
        assert again.facts() == stretch.facts()


async def test_a_readable_history_has_no_damaged_ranges(history: HistoryClient) -> None:
    async with open_store(history) as store:
        assert store.damaged_ranges(STREAM, 1, 1000) == []
