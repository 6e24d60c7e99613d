"""One connection to a NATS server: handshake, authentication, TLS, requests.

A wire lives until it breaks and is then replaced by a new one; who reconnects is `feed`. It speaks
what reading a stream needs: CONNECT, PING/PONG, SUB, PUB with a reply. Everything else on the bus
is nats-py's.
"""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from secrets import token_hex
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from infrastructure.ingestor.protocol import Message, MessageParser, ProtocolError
from nervous_system.comms.inbox import DEFAULT_PREFIX, inbox_prefix
from nervous_system.errors import BusUnavailableError

DEFAULT_PORT = 4222
_REPLY_SID = b"2"
_NO_RESPONDERS = 503
_CLOSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WireOptions:
    """How to reach the bus."""

    url: str = field(repr=False)
    """One server or several, separated by commas; `nats://` or `tls://`, with user and password, or
    a token, inside."""
    name: str = "enchanted-swarm ingestor"
    """Shown by the server's monitoring."""
    connect_timeout: timedelta = timedelta(seconds=2)
    """For one attempt at one server, handshake included."""
    tls: ssl.SSLContext | None = None
    """Context to use where the server asks for TLS; by default the system's certificates."""
    nkey_seed: str | None = field(default=None, repr=False)
    """Seed of an nkey (`SU...`), for servers that authenticate by signature."""

    @property
    def servers(self) -> list[str]:
        """The servers' URLs, one by one."""
        return [one.strip() for one in self.url.split(",") if one.strip()]

    @property
    def public_url(self) -> str:
        """The servers without user names, passwords and tokens."""
        return ",".join(
            f"{parts.scheme}://{parts.hostname}:{parts.port or DEFAULT_PORT}"
            for parts in map(_split, self.servers)
        )


class Wire(asyncio.BufferedProtocol):
    """An open connection; made by `open_wire`."""

    def __init__(self, prefix: str = DEFAULT_PREFIX) -> None:
        self.parser = MessageParser()
        self.info: dict[str, Any] = {}
        """What the server said of itself last."""
        self.on_batch: Callable[[], None] = lambda: None
        """Called when messages of the hot subscription have come."""
        self.on_status: Callable[[Message], None] = lambda _: None
        """Called with each status that is addressed to the hot subscription."""
        self.problem: str = ""
        """Why the connection ended."""
        self._loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        """Done once the connection has ended."""
        self._greeted: asyncio.Future[None] = self._loop.create_future()
        self._pongs: list[asyncio.Future[None]] = []
        self._replies: dict[bytes, asyncio.Future[Message]] = {}
        self._inbox = f"{prefix}.{token_hex(11)}".encode()
        self._transport: asyncio.Transport | None = None
        self._count = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; asyncio calls this, after a TLS upgrade once more."""
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where the next bytes go."""
        del sizehint
        return self.parser.buffer()

    def buffer_updated(self, nbytes: int) -> None:
        """Parse what came and hand it on."""
        parser = self.parser
        try:
            parser.received(nbytes)
            if parser.control:
                self._handle_control()
        except (ProtocolError, ValueError, IndexError) as error:
            self.abort(f"not what the server should send: {error}")
            return
        if parser.messages:
            self._handle_messages()
        if parser.batch.sequences:
            self.on_batch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Release everybody who waits."""
        self.problem = self.problem or (str(exc) if exc else "the server closed the connection")
        if not self.closed.done():
            self.closed.set_result(None)
        failure = ConnectionError(self.problem)
        waiting: list[asyncio.Future[Any]] = [self._greeted, *self._pongs, *self._replies.values()]
        for one in waiting:
            if not one.done():
                one.set_exception(failure)
                one.exception()  # taken note of, whether somebody waits or not
        self._pongs.clear()
        self._replies.clear()

    def abort(self, reason: str) -> None:
        """End the connection at once."""
        self.problem = self.problem or reason
        if self._transport is not None:
            self._transport.abort()

    def write(self, data: bytes) -> None:
        """Send protocol bytes; on a broken connection they are lost, and `closed` is done."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    async def greeted(self) -> dict[str, Any]:
        """Wait for the server's INFO and return it."""
        await asyncio.shield(self._greeted)
        return self.info

    async def ping(self) -> None:
        """Wait until the server has dealt with everything sent before.

        Raises:
            ConnectionError: the connection ended first; the message says why.
        """
        pong: asyncio.Future[None] = self._loop.create_future()
        self._pongs.append(pong)
        self.write(b"PING\r\n")
        await pong

    async def request(self, subject: str, payload: object, *, timeout: float = 5.0) -> Any:
        """Send a request of the JetStream API and return its decoded answer.

        Raises:
            ConnectionError: the connection ended first, or nobody answers such requests.
            TimeoutError: no answer came within `timeout` seconds.
        """
        self._count += 1
        token = str(self._count).encode()
        reply = self._replies[token] = self._loop.create_future()
        try:
            self.publish(subject.encode(), json.dumps(payload).encode(), self.reply_to(token))
            async with asyncio.timeout(timeout):
                message = await reply
        finally:
            self._replies.pop(token, None)
        if message.status is not None and message.status[0] == _NO_RESPONDERS:
            raise ConnectionError(f"nobody answers {subject}: JetStream is off or not ready")
        return json.loads(message.payload)

    def reply_to(self, token: bytes) -> bytes:
        """Return the subject whose messages end up with the request `token`."""
        return self._inbox + b".r." + token

    @property
    def hot_inbox(self) -> bytes:
        """The subject of the hot subscription."""
        return self._inbox + b".hot"

    def publish(self, subject: bytes, payload: bytes, reply: bytes) -> None:
        """Send one message."""
        self.write(b"PUB %b %b %d\r\n%b\r\n" % (subject, reply, len(payload), payload))

    def subscribe(self) -> None:
        """Subscribe the hot inbox and the one for replies."""
        self.write(b"SUB %b 1\r\nSUB %b.r.* %b\r\n" % (self.hot_inbox, self._inbox, _REPLY_SID))

    async def upgrade(self, context: ssl.SSLContext, host: str) -> None:
        """Go on under TLS."""
        transport = self._transport
        if transport is None:
            raise ConnectionError("the connection ended before TLS began")
        upgraded = await self._loop.start_tls(transport, self, context, server_hostname=host)
        if upgraded is None:
            raise ConnectionError("the connection ended while TLS began")
        self._transport = upgraded

    async def close(self) -> None:
        """Flush and close."""
        if self._transport is not None:
            self._transport.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await asyncio.shield(self.closed)
        if not self.closed.done():
            self.abort("closed")

    def _handle_control(self) -> None:
        lines = self.parser.control[:]
        self.parser.control.clear()
        for line in lines:
            op, _, rest = line.partition(b" ")
            match op.upper():
                case b"PING":
                    self.write(b"PONG\r\n")
                case b"PONG":
                    if self._pongs:
                        _resolve(self._pongs.pop(0))
                case b"INFO":
                    self.info = json.loads(rest)
                    _resolve(self._greeted)
                case b"-ERR":
                    self._handle_error(rest.decode(errors="replace").strip("' "))
                case b"+OK" | b"":
                    pass
                case _:
                    raise ProtocolError(f"unknown operation {op!r}")

    def _handle_error(self, text: str) -> None:
        """Take note of an error; the server itself closes after those that end a connection."""
        self.problem = text
        if "permissions violation" in text.lower():
            # The connection stays, and the one who waits for an answer would wait in vain.
            for reply in self._replies.values():
                if not reply.done():
                    reply.set_exception(ConnectionError(text))

    def _handle_messages(self) -> None:
        messages = self.parser.messages[:]
        self.parser.messages.clear()
        for message in messages:
            if message.sid == _REPLY_SID:
                waiting = self._replies.get(message.subject.rpartition(b".")[2])
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
            else:
                self.on_status(message)


@asynccontextmanager
async def open_wire(options: WireOptions) -> AsyncIterator[Wire]:
    """Connect to the first server that takes us; close at the end.

    Raises:
        BusUnavailableError: none does.
    """
    wire = await _first(options.servers, lambda url: _connect(options, url), options)
    try:
        yield wire
    finally:
        await wire.close()


async def _first(
    urls: Sequence[str], connect: Callable[[str], Awaitable[Wire]], options: WireOptions
) -> Wire:
    problem: BaseException | None = None
    for url in urls:
        try:
            return await connect(url)
        except (OSError, TimeoutError, ValueError) as error:
            problem = error
    reason = str(problem) or type(problem).__name__
    raise BusUnavailableError(servers=options.public_url, reason=reason) from problem


async def _connect(options: WireOptions, url: str) -> Wire:
    parts = _split(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or DEFAULT_PORT
    async with asyncio.timeout(options.connect_timeout.total_seconds()):
        _, wire = await asyncio.get_running_loop().create_connection(
            lambda: Wire(inbox_prefix(url)), host, port
        )
        try:
            info = await wire.greeted()
            if info.get("tls_required") or parts.scheme == "tls" or options.tls is not None:
                await wire.upgrade(options.tls or ssl.create_default_context(), host)
            login = credentials(url, options.nkey_seed, info.get("nonce", ""))
            hello = {**_HELLO, "name": options.name, **login}
            wire.write(b"CONNECT %b\r\n" % json.dumps(hello).encode())
            await wire.ping()
            wire.subscribe()
        except BaseException:
            wire.abort("not connected")
            raise
    return wire


_HELLO = {
    "verbose": False,
    "pedantic": False,
    "lang": "python",
    "version": "1",
    "protocol": 1,
    "headers": True,
    "no_responders": True,
}


def credentials(url: str, nkey_seed: str | None, nonce: str) -> dict[str, str]:
    """Return the fields of CONNECT that say who we are."""
    parts = _split(url)
    if nkey_seed is not None:
        return sign_nonce(nkey_seed, nonce)
    if parts.username and parts.password is None:
        return {"auth_token": unquote(parts.username)}
    if parts.username:
        return {"user": unquote(parts.username), "pass": unquote(parts.password or "")}
    return {}


def sign_nonce(seed: str, nonce: str) -> dict[str, str]:
    """Return public key and signature for a server that asks for an nkey.

    A seed is base32 of two prefix bytes, 32 bytes of private key and two of checksum; the public
    key of a user is base32 of its prefix byte, 32 bytes and a checksum.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # rarely used
        Ed25519PrivateKey,
    )

    raw = base64.b32decode(seed + "=" * (-len(seed) % 8))
    key = Ed25519PrivateKey.from_private_bytes(raw[2:34])
    public = bytes((_USER_PREFIX,)) + key.public_key().public_bytes_raw()
    public += _crc16(public).to_bytes(2, "little")
    signature = base64.urlsafe_b64encode(key.sign(nonce.encode())).rstrip(b"=")
    return {"nkey": base64.b32encode(public).decode().rstrip("="), "sig": signature.decode()}


_USER_PREFIX = 20 << 3


def _crc16(data: bytes) -> int:
    """CRC-16/XMODEM, which nkeys end in."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def _split(url: str) -> Any:
    return urlsplit(url if "://" in url else f"nats://{url}")


def _resolve(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
