"""Keeps one pull request open at a consumer, so that messages come as soon as they are stored.

A request asks for many messages and stays open until they have come or its time is over: a reader
that follows costs the server and itself nothing per message but the message. What arrived together
is handed out together.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import nats.errors
from nats.aio.msg import Msg

from nervous_system.comms.connection import BusClient

EXPIRED = "408"
GRACE_SECONDS = 0.5
"""How much later than it should the server may say that a request's time is over."""


class PullEndedError(Exception):
    """The consumer answers no more; what was handed out so far is in order."""


class Pull:
    """Messages of one consumer. Made by `open_pull`."""

    def __init__(
        self, client: BusClient, stream: str, consumer: str, *, count: int, seconds: float
    ) -> None:
        self._client = client
        self._request_subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._request = json.dumps({"batch": count, "expires": int(seconds * 1e9)}).encode()
        self._count = count
        self._seconds = seconds
        self.inbox = client.new_inbox()
        self._arrived: list[Msg] = []
        self._has_arrived = asyncio.Event()
        self._is_refused = False
        self._open_count = 0
        """Messages that the present request may still bring."""

    async def next(self) -> list[Msg]:
        """Return what has arrived, at least one message, or nothing after a silence.

        Raises:
            PullEndedError: the server refuses the request.
        """
        if self._open_count <= 0 and not self._arrived:
            self._open_count = self._count
            await self._client.publish(self._request_subject, self._request, reply=self.inbox)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._seconds + GRACE_SECONDS):
                await self._has_arrived.wait()
        self._has_arrived.clear()
        if self._is_refused:
            raise PullEndedError
        if not self._arrived:
            self._open_count = 0  # whatever has become of the request, ask again
        found, self._arrived = self._arrived, []
        return found

    async def take(self, message: Msg) -> None:
        """Keep a message until it is asked for; a status ends the request."""
        status = (message.headers or {}).get("Status") if not message.reply else None
        if status is None:
            self._arrived.append(message)
            self._open_count -= 1
        else:
            self._open_count = 0
            self._is_refused = self._is_refused or status != EXPIRED
        self._has_arrived.set()


@asynccontextmanager
async def open_pull(
    client: BusClient, stream: str, consumer: str, *, count: int, seconds: float
) -> AsyncIterator[Pull]:
    """Read from a consumer until the end of the block.

    Args:
        client: The connection.
        stream: Its stream.
        consumer: Its name.
        count: Most messages that are under way.
        seconds: How long a request stays open; when nothing has come by then, that is reported.
    """
    pull = Pull(client, stream, consumer, count=count, seconds=seconds)
    subscription = await client.subscribe(pull.inbox, cb=pull.take)
    try:
        yield pull
    finally:
        if client.is_connected:
            with suppress(nats.errors.Error, OSError, TimeoutError):
                await subscription.unsubscribe()
