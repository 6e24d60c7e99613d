"""The bus as the dashboard's own user sees it: how far each stream is.

One connection, made when it is asked for first and kept; a bus that is away is told as such.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from nats.js.errors import NotFoundError

from mission_control.server.config import LIVE_STREAMS
from nervous_system.comms.connection import BusClient, open_nats, redact_url, translated
from nervous_system.errors import BusUnavailableError

ANSWER_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFacts:
    """A stream of the bus."""

    name: str
    messages: int
    bytes: int
    last_sequence: int


class BusWatch:
    """Asks the bus how its streams are; closed once at the end."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opened = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._client: BusClient | None = None

    async def streams(self) -> list[StreamFacts]:
        """Return the streams of events that there are.

        Raises:
            BusUnavailableError: the bus cannot be asked.
        """
        async with self._asking() as client:
            found = [await _facts(client, name) for name in LIVE_STREAMS]
        return [facts for facts in found if facts is not None]

    async def waiting_since(self, stream: str, after: int) -> datetime | None:
        """Return the time of the first message after a place; None: there is none.

        Raises:
            BusUnavailableError: the bus cannot be asked.
        """
        async with self._asking() as client:
            try:
                message = await client.jetstream().get_msg(stream, seq=after + 1, next=True)
            except NotFoundError:
                return None
        return message.time

    async def close(self) -> None:
        """Let go of the connection."""
        await self._opened.aclose()

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[BusClient]:
        servers = redact_url(self._url) if self._url else "the dashboard's"
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                client = await self._connected(servers)
                with translated("a question of the dashboard", servers):
                    yield client
        except TimeoutError as error:
            reason = f"no answer within {ANSWER_SECONDS:g} s"
            raise BusUnavailableError(servers=servers, reason=reason) from error

    async def _connected(self, servers: str) -> BusClient:
        if not self._url:
            raise BusUnavailableError(servers=servers, reason="SWARM_NATS_URL is not set")
        async with self._opening:
            if self._client is None:
                opening = open_nats(self._url, name="swarm-dashboard")
                self._client = await self._opened.enter_async_context(opening)
            return self._client


async def _facts(client: BusClient, name: str) -> StreamFacts | None:
    try:
        info = await client.jetstream().stream_info(name)
    except NotFoundError:
        return None
    return StreamFacts(
        name=name,
        messages=info.state.messages,
        bytes=info.state.bytes,
        last_sequence=info.state.last_seq,
    )
