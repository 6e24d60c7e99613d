"""One connection to the bus: nats-py's client, with a short way for frames and acks.

Why a subclass: a publish through nats-py passes a flusher task, a subscription queue and a
callback task before its caller is released. Frames written here go to the socket at once and acks
are handed over where they are parsed, which is what makes a lone publish cheap. Reconnecting,
authentication, TLS and all control traffic stay nats-py's.

Driver errors are translated here and nowhere else. The connection outlives every server error:
what nats-py would answer by closing for good (a payload over the limit, a revoked password)
becomes a reconnect.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Protocol
from urllib.parse import urlsplit

import nats.errors
import nats.js.errors
from nats.aio.client import Client, Srv
from nats.aio.transport import TcpTransport

from nervous_system.comms.inbox import DEFAULT_PREFIX, inbox_prefix
from nervous_system.comms.running import end_task
from nervous_system.errors import BusClosedError, BusUnavailableError

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_SECONDS = 2
RECONNECT_WAIT_SECONDS = 0.2
PING_INTERVAL_SECONDS = 20
FLUSH_BUFFER_BYTES = 16 * 1024 * 1024
CLOSE_FLUSH_SECONDS = 1.0
PERMISSIONS_VIOLATION = "permissions violation"
STALE_CONNECTION = "stale connection"

AckHandler = Callable[[bytes, bytes, bytes | None], None]
"""Gets token, payload and raw headers of a reply."""


class ConnectionListener(Protocol):
    """Told what happens to a connection, from inside its read loop: must return at once."""

    def on_disconnected(self) -> None:
        """What was written and not acked has an unknown outcome."""
        ...

    def on_connected(self) -> None:
        """Frames may be written."""
        ...

    def on_permission_error(self, message: str) -> None:
        """The server dropped something that this user may not send; `message` is in lower case."""
        ...


class BusClient(Client):
    """A nats-py client that never gives up, with frames and acks on a short way."""

    def __init__(self, prefix: str = DEFAULT_PREFIX) -> None:
        super().__init__()
        self._inbox_prefix = bytearray(prefix.encode())
        self.listeners: list[ConnectionListener] = []
        self.acks: dict[bytes, AckHandler] = {}
        """Who waits for which reply: token to handler, taken out when the reply comes."""
        self.last_problem: Exception | None = None
        """What the driver reported last; names the reason when no server can be reached."""
        self.is_listening = False
        """Acks would be heard; before that nothing that asks for one may be sent."""
        self._ack_prefix = self.new_inbox()
        self._ack_sid = 0

    @property
    def reconnecting(self) -> "asyncio.Task[None] | None":
        """The driver's task that looks for a server; closing cancels it, once, which may miss."""
        return self._reconnection_task

    @property
    def reply_prefix(self) -> bytes:
        """What a reply subject starts with; the token in `acks` follows."""
        return f"{self._ack_prefix}.".encode()

    async def listen_for_acks(self) -> None:
        """Subscribe the inbox of acks; nats-py subscribes it again after each reconnect."""
        subscription = await self.subscribe(f"{self._ack_prefix}.*")
        self.is_listening = True
        self._ack_sid = subscription._id  # noqa: SLF001 # the driver tells ids nowhere else

    def write_frames(self, frames: bytes) -> None:
        """Send protocol bytes in one go.

        The caller has made sure of being connected; a connection that breaks meanwhile shows in
        `on_disconnected`.
        """
        if type(self._transport) is TcpTransport and not self._pending:
            writer = self._transport._io_writer  # noqa: SLF001 # the driver asks it nothing
            # A broken connection is told of soon; asyncio logs every further write until then.
            if writer is not None and not writer.is_closing():
                writer.write(frames)
            return
        self._pending.append(frames)
        self._pending_data_size += len(frames)
        if self._flush_queue is not None and self._flush_queue.empty():
            self._flush_queue.put_nowait(asyncio.get_running_loop().create_future())

    async def _connect_to_server(self, s: Srv) -> None:
        if self._transport:
            # A server that accepts and hangs up leaves nats-py with an open one, which it forgets.
            self._transport.close()  # type: ignore[no-untyped-call] # as in nats-py
        await super()._connect_to_server(s)

    async def _process_msg(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes
    ) -> None:
        if sid != self._ack_sid:
            await super()._process_msg(sid, subject, reply, data, headers)
            return
        token = bytes(subject[len(self._ack_prefix) + 1 :])
        handler = self.acks.pop(token, None)
        if handler is not None:
            handler(token, bytes(data), headers)

    async def _process_err(self, err_msg: str) -> None:
        if PERMISSIONS_VIOLATION in err_msg:
            for listener in self.listeners:
                listener.on_permission_error(err_msg)
            await super()._process_err(err_msg)
        elif STALE_CONNECTION in err_msg:
            await super()._process_err(err_msg)
        else:
            # nats-py closes for good here; an agent's connection has to outlive what one message
            # did wrong.
            problem = nats.errors.Error(f"nats: {err_msg}")
            await self._error_cb(problem)
            await self._process_op_err(problem)

    async def note_disconnected(self) -> None:
        """Tell the listeners.

        Nats-py calls this before it tries to reconnect and when it closes.
        """
        for listener in self.listeners:
            listener.on_disconnected()

    async def note_connected(self) -> None:
        """Tell the listeners; nats-py calls this after it has reconnected."""
        for listener in self.listeners:
            listener.on_connected()

    async def note_problem(self, problem: Exception) -> None:
        """Keep what the driver reports; each failed attempt to reconnect comes here too."""
        self.last_problem = problem
        logger.debug("bus problem", extra={"action": "bus_problem", "reason": describe(problem)})


def describe(problem: BaseException | None) -> str:
    """Return one line on a driver's exception, which may have no text of its own."""
    if problem is None:
        return "no answer"
    return str(problem) or type(problem).__name__


def redact_url(url: str) -> str:
    """Return `url`, or a comma-separated list of them, without user names and passwords."""
    shown = []
    for one in url.split(","):
        parts = urlsplit(one if "//" in one else f"nats://{one}")
        shown.append(f"{parts.scheme}://{parts.hostname}:{parts.port or 4222}")
    return ",".join(shown)


@contextmanager
def translated(operation: str, servers: str) -> Iterator[None]:
    """Turn driver exceptions raised inside into ours."""
    try:
        yield
    except (nats.errors.ConnectionClosedError, nats.errors.ConnectionDrainingError) as error:
        raise BusClosedError(operation=operation) from error
    except (
        nats.errors.NoServersError,
        nats.errors.NoRespondersError,
        nats.errors.ConnectionReconnectingError,
        nats.errors.OutboundBufferLimitError,
        nats.errors.TimeoutError,
        nats.js.errors.ServiceUnavailableError,
        nats.js.errors.NoStreamResponseError,
        OSError,
    ) as error:
        reason = f"{operation}: {describe(error)}"
        raise BusUnavailableError(servers=servers, reason=reason) from error


@asynccontextmanager
async def open_nats(
    url: str,
    *,
    name: str,
    timeout: float = CONNECT_TIMEOUT_SECONDS,
    is_required: bool = True,
    **options: Any,
) -> AsyncIterator[BusClient]:
    """Connect, and close at the end after flushing what was written.

    Args:
        url: One server or several, separated by commas; user and password inside if asked for.
        name: Shown by the server's monitoring.
        timeout: Seconds to wait for the first connection.
        is_required: Whether to raise when no server answers in time. Otherwise the client is
            handed out then and goes on trying; listeners are told when it succeeds.
        options: Further options of nats-py's `connect`, such as `tls` or `nkeys_seed`.

    Raises:
        BusUnavailableError: no server answered in time.
    """
    client = BusClient(inbox_prefix(url))
    connecting = asyncio.ensure_future(_connect(client, url, name, options))
    try:
        done, _ = await asyncio.wait({connecting}, timeout=timeout)
        if done:
            with translated("connect", redact_url(url)):
                connecting.result()
        elif is_required:
            raise BusUnavailableError(servers=redact_url(url), reason=describe(client.last_problem))
        yield client
    finally:
        await _close(client, connecting)


async def _connect(client: BusClient, url: str, name: str, options: dict[str, Any]) -> None:
    await client.connect(
        servers=url.split(","),
        name=name,
        inbox_prefix=inbox_prefix(url),
        max_reconnect_attempts=-1,
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        ping_interval=PING_INTERVAL_SECONDS,
        pending_size=FLUSH_BUFFER_BYTES,
        error_cb=client.note_problem,
        disconnected_cb=client.note_disconnected,
        reconnected_cb=client.note_connected,
        **{"reconnect_time_wait": RECONNECT_WAIT_SECONDS, **options},
    )
    await client.listen_for_acks()
    await client.note_connected()


async def _close(client: BusClient, connecting: "asyncio.Future[None]") -> None:
    await end_task(connecting)
    if client.is_connected:
        # A server that has just died cannot be flushed to; closing must not fail for that.
        with suppress(nats.errors.Error, OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_FLUSH_SECONDS):
                await client.flush()
    reconnecting = client.reconnecting
    with suppress(nats.errors.Error, OSError):
        await client.close()
    if reconnecting is not None:
        await end_task(reconnecting)
