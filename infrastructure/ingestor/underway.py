"""Batches on their way into history: in order, at most two, so that history never waits for one.

Inserts of one stream cannot overlap, since each is compared with what the one before has written.
Sending can: while history inserts a batch it receives the next, and begins with that at once.
Should the second be there first, the guard refuses it, and the session starts again from what
history has.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from infrastructure.errors import InsertRejectedError
from infrastructure.history.refusals import blames_rows
from infrastructure.ingestor.appending import Appender
from infrastructure.ingestor.encoding import Batch
from infrastructure.ingestor.ledger import Head


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """A batch that is in history."""

    rows: int
    undecodable: int
    repeated: int
    head: Head
    stored_ns: int
    """When the stream stored about the last of them, nanoseconds since 1970."""
    seconds: float
    """How long the insert took, read back included."""


class RefusedRowsError(Exception):
    """ClickHouse cannot decode some events; the next session stores them as undecodable."""

    def __init__(self, sequences: list[int]) -> None:
        self.sequences = sequences
        super().__init__(f"{len(sequences)} events refused")


class BatchesUnderWay:
    """What has been closed and is not known to be in history."""

    def __init__(self, appender: Appender, on_appended: Callable[[Appended], None]) -> None:
        self._appender = appender
        self._on_appended = on_appended
        self._tasks: deque[asyncio.Task[Appended]] = deque()
        self._rows: deque[int] = deque()
        self.ended = asyncio.Event()
        """Set when the oldest has ended; `collect` tells how."""

    @property
    def rows(self) -> int:
        """How many messages they hold."""
        return sum(self._rows)

    def takes(self, *, is_full: bool) -> bool:
        """Return whether another batch may be sent now.

        While one is under way, a batch that can still grow waits: large ones are cheaper.
        """
        if not self._tasks:
            return True
        return is_full and len(self._tasks) == 1 and self._appender.takes_next_early

    def send(self, batch: Batch, body: bytes, head: Head, stored_ns: int) -> None:
        """Begin to append a closed batch."""
        self._rows.append(batch.row_count)
        task = asyncio.create_task(self._append(batch, body, head, stored_ns))
        task.add_done_callback(lambda _: self.ended.set())
        self._tasks.append(task)

    def collect(self) -> None:
        """Report those that are in history.

        Raises:
            HistoryError: the oldest failed; its outcome may be unknown.
            RefusedRowsError: ClickHouse cannot decode some of its events.
        """
        self.ended.clear()
        while self._tasks and self._tasks[0].done():
            appended = self._tasks[0].result()
            self._tasks.popleft()
            self._rows.popleft()
            self._on_appended(appended)

    async def finish(self) -> None:
        """Wait for all of them; raises as `collect` does."""
        while self._tasks:
            await asyncio.wait({self._tasks[0]})
            self.collect()

    async def abandon(self) -> None:
        """Let go of those that are left; what becomes of them, history will say."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _append(self, batch: Batch, body: bytes, head: Head, stored_ns: int) -> Appended:
        began_at = time.monotonic()
        try:
            await self._appender.append(batch, body)
        except InsertRejectedError as error:
            if blames_rows(error) and (positions := await self._appender.find_refused(body)):
                raise RefusedRowsError([batch.sequences[at] for at in positions]) from None
            raise
        return Appended(
            rows=batch.row_count,
            undecodable=batch.undecodable,
            repeated=batch.repeated,
            head=head,
            stored_ns=stored_ns,
            seconds=time.monotonic() - began_at,
        )
