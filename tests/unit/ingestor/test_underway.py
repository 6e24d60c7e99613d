"""Two batches on their way: in order, and nothing is reported that is not in history."""

import asyncio
from typing import Any

import pytest

from infrastructure.errors import StaleBatchError
from infrastructure.ingestor.encoding import Batch
from infrastructure.ingestor.ledger import Head
from infrastructure.ingestor.underway import Appended, BatchesUnderWay


class History:
    """Ends each insert when the test says so."""

    takes_next_early = True

    def __init__(self) -> None:
        self.outcomes: list[asyncio.Future[None]] = []

    async def append(self, batch: Batch, body: bytes) -> None:
        del batch, body
        self.outcomes.append(asyncio.get_running_loop().create_future())
        await self.outcomes[-1]


class Case:
    def __init__(self) -> None:
        self.history = History()
        self.reported: list[int] = []
        appender: Any = self.history
        self.under_way = BatchesUnderWay(appender, self._report)

    def _report(self, appended: Appended) -> None:
        self.reported.append(appended.head.sequence)

    async def send(self, sequence: int) -> None:
        head = Head("S", sequence)
        self.under_way.send(Batch(Head("S", sequence - 1), "S@x"), b"", head, 0)
        await asyncio.sleep(0)


async def test_a_full_batch_is_sent_while_the_one_before_is_inserted() -> None:
    case = Case()
    assert case.under_way.takes(is_full=False)
    await case.send(1)
    assert not case.under_way.takes(is_full=False)
    assert case.under_way.takes(is_full=True)
    await case.send(2)
    assert not case.under_way.takes(is_full=True)


async def test_a_server_that_inserts_at_once_gets_one_at_a_time() -> None:
    case = Case()
    case.history.takes_next_early = False
    await case.send(1)
    assert not case.under_way.takes(is_full=True)


async def test_batches_are_reported_in_order() -> None:
    case = Case()
    await case.send(1)
    await case.send(2)
    case.history.outcomes[1].set_result(None)
    await asyncio.sleep(0.0)
    case.under_way.collect()
    assert case.reported == []
    case.history.outcomes[0].set_result(None)
    await case.under_way.finish()
    assert case.reported == [1, 2]


async def test_what_follows_a_failed_batch_is_not_reported() -> None:
    case = Case()
    await case.send(1)
    await case.send(2)
    error = StaleBatchError(table="t", row_count=1, code=0, reason="x")
    case.history.outcomes[0].set_exception(error)
    with pytest.raises(StaleBatchError):
        await case.under_way.finish()
    await case.under_way.abandon()
    assert case.reported == []
