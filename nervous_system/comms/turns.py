"""Turns: calls of one lane wait one after the other, in the order in which they came.

An event has to wait for room now and then. Those that come after it in its lane must not find the
room first; other lanes are none of its business.
"""

import asyncio
from collections import deque


class Turns:
    """One turn a lane at a time; all methods belong to the thread of the event loop."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[asyncio.Future[None]]] = {}

    def is_taken(self, lane: str) -> bool:
        """Return whether somebody of the lane has the turn."""
        return lane in self._queues

    async def take(self, lane: str) -> None:
        """Return when it is this call's turn; then `give` has to follow.

        The empty lane keeps no order: it is always everybody's turn.
        """
        if not lane:
            return
        queue = self._queues.get(lane)
        if queue is None:
            self._queues[lane] = deque()
            return
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give(lane)  # it came in the same moment
            raise

    def give(self, lane: str) -> None:
        """Pass the turn on to who has waited longest."""
        if not lane:
            return
        queue = self._queues[lane]
        while queue:
            turn = queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        del self._queues[lane]
