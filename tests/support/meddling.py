"""A relay between a client and a server that changes what the server says."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

Meddle = Callable[[bytes], bytes]
"""What is said instead of a piece; small messages come whole."""


@asynccontextmanager
async def meddling(port: int, meddle: Meddle) -> AsyncIterator[str]:
    """Relay to a bus on `port`; yields the URL to connect to."""
    relays: set[asyncio.Task[None]] = set()

    async def relay(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, change: Meddle
    ) -> None:
        try:
            with suppress(ConnectionError):
                while piece := await reader.read(1 << 20):
                    writer.write(change(piece))
                    await writer.drain()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        relays.add(asyncio.create_task(relay(reader, back, lambda piece: piece)))
        relays.add(asyncio.create_task(relay(there, writer, meddle)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for one in relays:
            one.cancel()
        await asyncio.gather(*relays, return_exceptions=True)
