"""Copies heads of the ledger to `SWARM_CHECKPOINTS`, which nobody can delete from.

Since nothing leaves that stream again, not each head goes there. A head vouches for everything
before it: under flow the newest one is noted every few seconds, and one for each hundred thousand
messages; the last one follows within those few seconds.

What is still to be copied is read from history, not remembered: after a crash, or with the bus away
for a while, the copy catches up by itself. A head travels under its own text as message id, so that
two ingestors copy it once.
"""

import asyncio
import logging

import nats.errors
import nats.js.errors
from nats.js import JetStreamContext

from infrastructure.errors import HistoryError
from infrastructure.ingestor.appending import Appender
from infrastructure.ingestor.ledger import parse_head
from infrastructure.ingestor.pausing import pause
from nervous_system.comms.streams import CHECKPOINTS_STREAM

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 5.0
"""Shortest time between two looks at the ledger: 17,000 heads of some 300 bytes a day at most."""
RETRY_SECONDS = 5.0
HEADS_PER_LOOK = 500


def checkpoint_subject(stream: str) -> str:
    """Return where heads of a stream's ledger go."""
    return f"swarm.checkpoints.{stream}"


class CheckpointCopier:
    """Copies the heads of one stream's ledger."""

    def __init__(self, jetstream: JetStreamContext, appender: Appender, stream: str) -> None:
        self._jetstream = jetstream
        self._appender = appender
        self._stream = stream
        self._copied: int | None = None
        self._wanted = asyncio.Event()
        self._wanted.set()

    def wake(self) -> None:
        """Say that there is a new head."""
        self._wanted.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Copy until `stop` is set, and what is there then."""
        while not stop.is_set():
            await _either(self._wanted, stop)
            self._wanted.clear()
            is_done = await self.copy()
            if not is_done:
                self._wanted.set()
            await pause(stop, PAUSE_SECONDS if is_done else RETRY_SECONDS)
        await self.copy()

    async def copy(self) -> bool:
        """Copy the newest head, and those at some distance before it; return whether it is done."""
        try:
            if self._copied is None:
                self._copied = await self._last_copied()
            while heads := await self._appender.heads_after(self._copied, HEADS_PER_LOOK):
                for sequence, head in heads:
                    await self._publish(head)
                    self._copied = sequence
        except (HistoryError, nats.errors.Error, OSError) as error:
            logger.warning(
                "heads not copied",
                extra={
                    "action": "checkpoint_failed",
                    "stream": self._stream,
                    "reason": str(error) or type(error).__name__,
                },
            )
            return False
        return True

    async def _publish(self, head: str) -> None:
        await self._jetstream.publish(
            checkpoint_subject(self._stream), head.encode(), headers={"Nats-Msg-Id": head}
        )

    async def _last_copied(self) -> int:
        try:
            message = await self._jetstream.get_last_msg(
                CHECKPOINTS_STREAM, checkpoint_subject(self._stream)
            )
        except nats.js.errors.NotFoundError:
            return 0
        try:
            return parse_head((message.data or b"").decode(errors="replace")).sequence
        except ValueError:
            logger.exception(
                "what was noted last is no head",
                extra={"action": "not_a_head", "stream": self._stream, "sequence": message.seq},
            )
            # The newest head vouches for those that may be missing before it.
            return max((await self._appender.state()).head.sequence - 1, 0)


async def _either(one: asyncio.Event, other: asyncio.Event) -> None:
    waits = {asyncio.ensure_future(one.wait()), asyncio.ensure_future(other.wait())}
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
