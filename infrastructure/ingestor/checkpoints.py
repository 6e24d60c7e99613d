"""Copies heads of the ledger to `SWARM_CHECKPOINTS`, which nobody can delete from.

Since nothing leaves that stream again, not each head goes there. A head vouches for everything
before it: after a quiet time the newest one is noted as soon as the flow pauses for a moment, under
lasting flow one every few seconds, and one for each hundred thousand messages.

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
from nervous_system.comms.pausing import pause, wait_for_either
from nervous_system.comms.streams import CHECKPOINTS_STREAM

logger = logging.getLogger(__name__)

EARN_SECONDS = 5.0
"""Time in which the right to one more note is earned: 17,000 of some 300 bytes a day at most."""
MAX_EARNED = 20.0
"""Notes that a quiet time leaves the right to; so somebody who looks at once finds the head."""
QUIET_SECONDS = 0.2
"""A flow of batches that stops for so long is over, and its head is noted."""
RETRY_SECONDS = 5.0
HEADS_PER_LOOK = 500


def checkpoint_subject(stream: str) -> str:
    """Return where heads of a stream's ledger go."""
    return f"swarm.checkpoints.{stream}"


class Allowance:
    """How often something may be done: rights are earned with time, up to a number; pure."""

    def __init__(self, max_earned: float, earn_seconds: float) -> None:
        self._max_earned = max_earned
        self._earn_seconds = earn_seconds
        self._earned = max_earned
        self._at = 0.0

    def take(self, now: float) -> float:
        """Use up one right and return in how many seconds, from `now` on, it is earned."""
        gained = (now - self._at) / self._earn_seconds
        self._earned = min(self._max_earned, self._earned + gained) - 1.0
        self._at = now
        return max(0.0, -self._earned * self._earn_seconds)


class CheckpointCopier:
    """Copies the heads of one stream's ledger."""

    def __init__(self, jetstream: JetStreamContext, appender: Appender, stream: str) -> None:
        self._jetstream = jetstream
        self._appender = appender
        self._stream = stream
        self._copied: int | None = None
        self._allowance = Allowance(MAX_EARNED, EARN_SECONDS)
        self._wanted = asyncio.Event()
        self._wanted.set()

    def wake(self) -> None:
        """Say that there is a new head."""
        self._wanted.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Copy until `stop` is set, and what is there then."""
        while not stop.is_set():
            await wait_for_either(self._wanted, stop)
            await self._until_quiet(stop)
            now = asyncio.get_running_loop().time()
            await pause(stop, self._allowance.take(now))
            self._wanted.clear()
            if not await self.copy():
                self._wanted.set()
                await pause(stop, RETRY_SECONDS)
        await self.copy()

    async def _until_quiet(self, stop: asyncio.Event) -> None:
        """Return when no new head has come for a moment, or when they have come for long."""
        deadline = asyncio.get_running_loop().time() + EARN_SECONDS
        while self._wanted.is_set() and not stop.is_set():
            self._wanted.clear()
            await pause(stop, QUIET_SECONDS)
            if asyncio.get_running_loop().time() > deadline:
                return

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
