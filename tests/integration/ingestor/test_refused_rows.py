"""What ClickHouse cannot decode is found without writing anything."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from infrastructure.errors import HistoryUnavailableError, InsertRejectedError, StaleBatchError
from infrastructure.history.client import HistoryClient, open_history
from infrastructure.history.config import HistoryConfig
from infrastructure.history.migrate import migrate
from infrastructure.history.owner.engine import Engine
from infrastructure.history.owner.http1 import serve
from infrastructure.history.owner.metrics import Metrics
from infrastructure.history.owner.migration import apply_migrations
from infrastructure.history.owner.service import Endpoint
from infrastructure.history.refusals import blames_rows
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


@asynccontextmanager
async def starting_history(directory: Path) -> AsyncIterator[tuple[Endpoint, HistoryClient]]:
    """Serve history from this process, where it can be made unready."""
    engine = Engine(directory)
    endpoint = Endpoint(engine, {"history_writer": "w", "history_reader": "r"}, Metrics())
    server = await serve(endpoint.handle, "127.0.0.1", 0)
    dsn = f"http://history_writer:w@127.0.0.1:{server.port}/swarm"
    try:
        await asyncio.to_thread(engine.open)
        await asyncio.to_thread(apply_migrations, engine)
        await asyncio.to_thread(endpoint.open)
        opening = open_history(HistoryConfig(dsn=dsn))
        client = await asyncio.to_thread(opening.__enter__)
        yield endpoint, client
        await asyncio.to_thread(opening.__exit__, None, None, None)
    finally:
        await server.close(1)
        await asyncio.to_thread(engine.close)


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


async def test_a_history_that_takes_nothing_at_present_refuses_no_row(history_dsn: str) -> None:
    async with starting_history(Path(history_dsn.removeprefix("chdb://"))) as (endpoint, client):
        batch = closed_batch([build_event().SerializeToString() for _ in range(3)], set())
        body, appender = b"".join(batch.parts), Appender(client, EVENTS_STREAM)
        endpoint.is_ready = False
        with pytest.raises(HistoryUnavailableError):
            await appender.append(batch, body)
        with pytest.raises(HistoryUnavailableError):
            await appender.find_refused(body)


async def test_without_a_table_to_try_them_no_row_is_refused(history: HistoryClient) -> None:
    batch = closed_batch([build_event().SerializeToString() for _ in range(3)], set())
    history.command("drop table swarm.events_probe sync")
    with pytest.raises(InsertRejectedError, match=r"(?i)exist") as caught:
        await Appender(history, EVENTS_STREAM).find_refused(b"".join(batch.parts))
    assert not blames_rows(caught.value)


async def test_a_row_that_says_stale_is_not_taken_for_the_guard(history: HistoryClient) -> None:
    with pytest.raises(InsertRejectedError) as caught:
        history.insert_raw(
            "swarm.spans_input", b'{"stream_seq": "STALE"}', input_format="JSONEachRow"
        )
    assert "STALE" in caught.value.reason
    assert not isinstance(caught.value, StaleBatchError)
    assert blames_rows(caught.value)


async def test_a_batch_behind_another_is_stale(history: HistoryClient) -> None:
    batch = closed_batch([build_event().SerializeToString()], set())
    body = b"".join(batch.parts)
    await Appender(history, EVENTS_STREAM).append(batch, body)
    with pytest.raises(StaleBatchError):
        await Appender(history, EVENTS_STREAM).append(batch, body)


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
