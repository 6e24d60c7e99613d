"""What ClickHouse cannot decode is found without writing anything."""

from collections.abc import Iterator

import pytest

from infrastructure.history.client import HistoryClient, open_history
from infrastructure.history.config import HistoryConfig
from infrastructure.history.migrate import migrate
from infrastructure.ingestor.appending import Appender, split_rows
from infrastructure.ingestor.decoding import REFUSED, decode
from infrastructure.ingestor.encoding import Batch, Envelopes
from infrastructure.ingestor.ledger import Head
from nervous_system.comms.streams import EVENTS_STREAM
from tests.support.builders import build_event
from tests.support.stored import stored_rows

BROKEN = b"\x03\x22\x01\xff"
"""A row whose event is a lone byte of a field's tag."""


@pytest.fixture
def history(history_dsn: str) -> Iterator[HistoryClient]:
    with open_history(HistoryConfig(dsn=history_dsn)) as client:
        migrate(client)
        yield client


def closed_batch(raws: list[bytes], refused: set[int]) -> Batch:
    batch, decoded = Batch(Head(EVENTS_STREAM, 0), "S@t"), decode(raws, refused)
    sequences, subjects = list(range(1, len(raws) + 1)), [b"swarm.events.x.y"] * len(raws)
    batch.add(sequences, subjects, raws, decoded, set(), Envelopes())
    batch.close()
    return batch


async def test_exactly_the_rows_that_cannot_be_decoded_are_found(history: HistoryClient) -> None:
    raws = [build_event().SerializeToString() for _ in range(20)]
    rows = list(split_rows(b"".join(closed_batch(raws, set()).parts)))
    assert len(rows) == len(raws)
    rows[3], rows[17] = BROKEN, BROKEN
    assert await Appender(history, EVENTS_STREAM).find_refused(b"".join(rows)) == [3, 17]
    assert stored_rows(history) == []


async def test_a_refused_message_is_stored_as_undecodable_beside_its_neighbours(
    history: HistoryClient,
) -> None:
    raws = [build_event().SerializeToString() for _ in range(3)]
    batch = closed_batch(raws, {1})
    await Appender(history, EVENTS_STREAM).append(batch, b"".join(batch.parts))
    rows = stored_rows(history)
    assert [row["kind"] for row in rows] == ["decision", "undecodable", "decision"]
    assert rows[1]["undecodable_reason"] == REFUSED
    assert bytes.fromhex(rows[1]["raw"]) == raws[1]
