"""Python and ClickHouse make the same of every message, whatever it is."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infrastructure.errors import InsertRejectedError
from infrastructure.history.client import HistoryClient, open_history
from infrastructure.history.config import HistoryConfig
from infrastructure.history.migrate import migrate
from infrastructure.ingestor.decoding import MESSAGE, decode, stored_schema
from infrastructure.ingestor.emitters import EmitterTracker
from infrastructure.ingestor.encoding import Batch, Envelopes
from infrastructure.ingestor.ledger import Head
from tests.support.columns import expected_row
from tests.support.stored import stored_rows
from tests.support.wire_bytes import messages

STREAM = "ENCHANTED_SWARM"
RELAXED = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def history(history_dsn: str) -> Iterator[HistoryClient]:
    with open_history(HistoryConfig(dsn=history_dsn)) as client:
        migrate(client)
        yield client


def append(client: HistoryClient, raws: list[bytes]) -> None:
    batch, tracker = Batch(Head(STREAM, 0), f"{STREAM}@now"), EmitterTracker()
    decoded = decode(raws)
    tracker.learn(tracker.missing(decoded.numbered), [])
    subjects = [b"swarm.events.coder.decision"] * len(raws)
    sequences = list(range(1, len(raws) + 1))
    repeated = tracker.mark(decoded.numbered)
    batch.add(sequences, subjects, raws, decoded, repeated, Envelopes())
    batch.close()
    client.insert_protobuf(
        "swarm.events_input", batch.parts, schema=stored_schema(), message=MESSAGE
    )


@RELAXED
@given(raws=st.lists(messages(), min_size=1, max_size=30))
def test_every_message_becomes_the_row_that_the_contract_says(
    history: HistoryClient, raws: list[bytes]
) -> None:
    history.command("truncate table swarm.events")
    append(history, raws)
    rows = stored_rows(history)
    assert [bytes.fromhex(row["raw"]) for row in rows] == raws
    for raw, row in zip(raws, rows, strict=True):
        expected = expected_row(raw)
        assert {name: row[name] for name in expected} == expected
        assert bool(row["undecodable_reason"]) == (expected["kind"] == "undecodable")


def test_a_row_that_the_engine_cannot_decode_is_told_from_its_neighbours(
    history: HistoryClient,
) -> None:
    with pytest.raises(InsertRejectedError):
        history.insert_protobuf(
            "swarm.events_probe", [b"\x03\x22\x01\xff"], schema=stored_schema(), message=MESSAGE
        )
