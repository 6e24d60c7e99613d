"""Publishes on the condition that a subject is still where the writer has seen it.

One such write is both an operation and its event: of all who decide on the same state, one
succeeds, and the others are told so. Which of them stored a message is never in doubt: what follows
the expected sequence on the subject is the one write that was conditioned on it, so reading that
tells after a lost connection whether it was ours. The server's duplicate window is not needed; the
server compares the sequence first anyway.

Nothing is spooled: who cannot reach the bus cannot know what to condition a write on.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import nats.errors
import nats.js.errors
from nats.js import JetStreamContext

from nervous_system.comms.connection import BusClient, translated
from nervous_system.comms.contracts import Outgoing
from nervous_system.comms.frames import (
    MESSAGE_ID_HEADER,
    batch_frames,
    encode_headers,
    encode_subject,
    single_frame,
)
from nervous_system.comms.replies import (
    OVERSIZE_CODE,
    PERMISSION_CODE,
    Refusal,
    Stored,
    parse_reply,
    refused_subject,
)
from nervous_system.errors import (
    BusError,
    PublishRejectedError,
    PublishTimeoutError,
    WrongSequenceError,
)
from nervous_system.events import encode
from nervous_system.schemas import SwarmEvent

EXPECTED_HEADER = "Nats-Expected-Last-Subject-Sequence"
PATTERN_HEADER = "Nats-Expected-Last-Subject-Sequence-Subject"
WRONG_LAST_SEQUENCE = 10071
DUPLICATE_IN_BATCH = 10201
"""The stream holds a message of this id, or the batch holds it twice."""
ACK_SECONDS = 2.0
"""After so much silence an outcome counts as unknown, and the write is repeated."""
RETRY_SECONDS = 0.1
DEFAULT_TIMEOUT = 5.0
MAX_BATCH_COUNT = 1_000
MAX_BATCH_BYTES = 4 * 1024 * 1024
"""Below what the server takes of a single message, so that none in a batch is too large."""
MIN_BATCH_COUNT = 12
"""Below this, single publishes are faster."""
MAX_SINGLES = 64
"""Single publishes under way at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditional:
    """A message that is only stored if its subject has not moved on."""

    outgoing: Outgoing
    """Its `event_id` is unique to this write: by it a stored message is recognised."""
    expected_sequence: int
    """Last sequence on the subject, or on the pattern; 0: there is none."""
    pattern: str = ""
    """Pattern of subjects that exclude each other; empty: the message's own subject alone."""

    @property
    def watched(self) -> str:
        """What must not have moved on."""
        return self.pattern or self.outgoing.subject

    def encoded_headers(self) -> bytes:
        """Return its header lines.

        Raises:
            InvalidEventError: a header would break out of its line.
        """
        text = f"{EXPECTED_HEADER}: {self.expected_sequence}\r\n"
        if self.pattern:
            text += f"{PATTERN_HEADER}: {encode_pattern(self.pattern)}\r\n"
        return encode_headers(self.outgoing) + text.encode()


def encode_pattern(pattern: str) -> str:
    """Return `pattern` if it can be a header's value.

    Raises:
        InvalidEventError: it is no pattern of subjects.
    """
    encode_subject(".".join("x" if token in {"*", ">"} else token for token in pattern.split(".")))
    return pattern


class ConditionalPublisher:
    """Writes to one stream. Made by `open_conditional_publisher`."""

    def __init__(
        self, client: BusClient, jetstream: JetStreamContext, *, stream: str, servers: str
    ) -> None:
        self._client = client
        self._jetstream = jetstream
        self._stream = stream
        self._servers = servers
        self._tokens = itertools.count(1)
        self._token_prefix = client.new_inbox().rpartition(".")[2].encode() + b"-"
        self._under_way: dict[bytes, tuple[frozenset[str], asyncio.Future[Stored | Refusal]]] = {}
        self._connected = asyncio.Event()
        if client.is_connected and client.is_listening:
            self._connected.set()

    async def publish(
        self,
        event: SwarmEvent,
        subject: str,
        expected_sequence: int,
        *,
        pattern: str = "",
        timeout: float = DEFAULT_TIMEOUT,
    ) -> int:
        """Store `event` if nothing has been written since `expected_sequence`; return its sequence.

        Calling again with the same event and the same condition is safe whatever happened before.

        Args:
            event: Finished, without a number of an emitter: a write that loses leaves no gap.
            subject: Where it is stored.
            expected_sequence: Last one on the pattern; 0: none.
            pattern: Subjects that exclude each other; by default `subject` alone.
            timeout: Seconds, across absences of the bus.

        Raises:
            InvalidEventError: it cannot be published.
            WrongSequenceError: somebody else has written meanwhile; nothing was stored.
            PublishTimeoutError: no ack in time; the outcome is unknown.
            PublishRejectedError: the server refuses it for good.
        """
        outgoing = Outgoing(subject=subject, payload=encode(event), event_id=event.event_id)
        return await self.send(
            Conditional(outgoing=outgoing, expected_sequence=expected_sequence, pattern=pattern),
            timeout=timeout,
        )

    async def send(self, message: Conditional, *, timeout: float = DEFAULT_TIMEOUT) -> int:
        """Store one message, as `publish` does, and return its sequence."""
        subject = encode_subject(message.outgoing.subject)
        headers = message.encoded_headers()
        self._check_size(message.outgoing, len(headers))
        try:
            async with asyncio.timeout(timeout):
                while True:
                    reply = await self._single(subject, headers, message.outgoing)
                    if isinstance(reply, Stored):
                        return reply.sequence
                    if reply is not None:
                        found = await self._judge(message, reply)
                        if found is not None:
                            return found
                    await asyncio.sleep(RETRY_SECONDS)
        except TimeoutError as error:
            raise PublishTimeoutError(
                subject=message.outgoing.subject,
                event_id=message.outgoing.event_id,
                timeout=timeout,
            ) from error

    async def send_all(
        self, messages: Sequence[Conditional], *, timeout: float = DEFAULT_TIMEOUT
    ) -> list[int | BusError]:
        """Store many messages on subjects of their own, each on its own condition.

        Returns:
            For each the sequence, or what kept it from being stored, as `publish` raises it.
        """
        results: list[int | BusError] = []
        for chunk in _chunks(messages):
            is_batch = len(chunk) >= MIN_BATCH_COUNT
            found = await self._batch(chunk) if is_batch else None
            results += found or await self._singles(chunk, timeout)
        return results

    async def send_together(
        self,
        messages: Sequence[Outgoing],
        last: Conditional,
        *,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> int:
        """Store all of them, on the condition of the last, or none; return the last's sequence.

        Calling again with the same messages is safe whatever happened before.

        Args:
            messages: At most 999, on other subjects than the last watches.
            last: Comes behind them.
            timeout: Seconds, across absences of the bus.

        Raises:
            InvalidEventError: one of them cannot be published.
            WrongSequenceError: somebody else has written meanwhile; nothing was stored.
            PublishTimeoutError: no ack in time; the outcome is unknown.
            PublishRejectedError: the server refuses one of them for good; nothing was stored.
        """
        parts = [
            (encode_subject(one.subject), encode_headers(one), one.payload) for one in messages
        ]
        for one, (_, headers, _) in zip(messages, parts, strict=True):
            self._check_size(one, len(headers))
        outgoing = last.outgoing
        parts.append((encode_subject(outgoing.subject), last.encoded_headers(), outgoing.payload))
        subjects = frozenset(one.subject.lower() for one in (*messages, outgoing))
        try:
            async with asyncio.timeout(timeout):
                while True:
                    reply = await self._together(parts, subjects)
                    if isinstance(reply, Stored):
                        return reply.sequence
                    if reply is not None:
                        found = await self._judge_batch(last, reply)
                        if found is not None:
                            return found
                    await asyncio.sleep(RETRY_SECONDS)
        except TimeoutError as error:
            raise PublishTimeoutError(
                subject=outgoing.subject, event_id=outgoing.event_id, timeout=timeout
            ) from error

    async def _judge_batch(self, last: Conditional, refusal: Refusal) -> int | None:
        """Judge as `_judge` does; an id that is stored already may be a rival's who was first."""
        if refusal.code == DUPLICATE_IN_BATCH:
            found = await self._successor(last)
            if found is None:
                return None
            if found[1]:
                refusal = Refusal(WRONG_LAST_SEQUENCE, refusal.description, is_final=True)
        return await self._judge(last, refusal)

    async def _together(
        self, parts: Sequence[tuple[bytes, bytes, bytes]], subjects: frozenset[str]
    ) -> Stored | Refusal | None:
        """Send one atomic batch and return the answer; None: unknown."""
        await self._connected.wait()
        token = self._new_token()
        reply = self._client.reply_prefix + token
        frames = batch_frames(parts, self._token_prefix + token, len(parts), reply)
        return await self._exchange(token, frames, subjects)

    async def _singles(
        self, messages: Sequence[Conditional], timeout: float
    ) -> list[int | BusError]:
        room = asyncio.Semaphore(MAX_SINGLES)

        async def one(message: Conditional) -> int | BusError:
            async with room:
                try:
                    return await self.send(message, timeout=timeout)
                except BusError as error:
                    return error

        return list(await asyncio.gather(*map(one, messages)))

    async def _single(
        self, subject: bytes, headers: bytes, outgoing: Outgoing
    ) -> Stored | Refusal | None:
        """Send once and return the answer; None: unknown."""
        await self._connected.wait()
        token = self._new_token()
        reply = self._client.reply_prefix + token
        frame = single_frame(subject, headers, outgoing.payload, reply)
        return await self._exchange(token, frame, frozenset({outgoing.subject.lower()}))

    async def _batch(self, messages: Sequence[Conditional]) -> list[int | BusError] | None:
        """Store all of them together; None: refused or unknown, to be sent one by one."""
        await self._connected.wait()
        token = self._new_token()
        frames = batch_frames(
            [
                (encode_subject(one.outgoing.subject), one.encoded_headers(), one.outgoing.payload)
                for one in messages
            ],
            self._token_prefix + token,
            len(messages),
            self._client.reply_prefix + token,
        )
        subjects = frozenset(one.outgoing.subject.lower() for one in messages)
        reply = await self._exchange(token, frames, subjects)
        if not isinstance(reply, Stored):
            return None
        first = reply.sequence - len(messages) + 1
        return list(range(first, reply.sequence + 1))

    def _check_size(self, outgoing: Outgoing, headers_size: int) -> None:
        """The server would end the connection of everybody who shares it."""
        size, limit = len(outgoing.payload) + headers_size + 12, int(self._client.max_payload)
        if self._client.is_connected and size > limit:
            raise PublishRejectedError(
                subject=outgoing.subject,
                event_id=outgoing.event_id,
                code=OVERSIZE_CODE,
                description=f"{size} bytes with headers, the server takes {limit}",
            )

    def _new_token(self) -> bytes:
        # shared with the committer of the same connection, whose tokens are bare numbers
        return self._token_prefix + b"%x" % next(self._tokens)

    async def _exchange(
        self, token: bytes, frames: bytes, subjects: frozenset[str]
    ) -> Stored | Refusal | None:
        answer: asyncio.Future[Stored | Refusal] = asyncio.get_running_loop().create_future()
        self._under_way[token] = (subjects, answer)
        self._client.acks[token] = self._on_reply
        try:
            self._client.write_frames(frames)
            done, _ = await asyncio.wait({answer}, timeout=ACK_SECONDS)
            return answer.result() if done and not answer.cancelled() else None
        finally:
            self._under_way.pop(token, None)
            self._client.acks.pop(token, None)

    def _on_reply(self, token: bytes, payload: bytes, headers: bytes | None) -> None:
        found = self._under_way.get(token)
        if found is not None and not found[1].done():
            found[1].set_result(parse_reply(payload, headers))

    async def _judge(self, message: Conditional, refusal: Refusal) -> int | None:
        """Return where a refused message lies all the same; None: it may be sent again."""
        outgoing = message.outgoing
        if refusal.code == WRONG_LAST_SEQUENCE:
            found = await self._successor(message)
            if found is None:
                return None
            if found[1] == outgoing.event_id:
                return found[0]
            raise WrongSequenceError(subject=message.watched, expected=message.expected_sequence)
        if refusal.is_final:
            raise PublishRejectedError(
                subject=outgoing.subject,
                event_id=outgoing.event_id,
                code=refusal.code,
                description=refusal.description,
            )
        return None

    async def _successor(self, message: Conditional) -> tuple[int, str] | None:
        """Return sequence and id of what follows the expected one.

        `(0, "")` where nothing does, as when it is expected to follow what was never there; None
        where the stream cannot be asked now.
        """
        try:
            with translated("read", self._servers):
                found = await self._jetstream.get_msg(
                    self._stream,
                    seq=message.expected_sequence + 1,
                    subject=message.watched,
                    next=True,
                )
        except nats.js.errors.NotFoundError:
            return 0, ""
        except (BusError, nats.errors.Error):
            return None
        return int(found.seq or 0), (found.headers or {}).get(MESSAGE_ID_HEADER, "")

    def on_disconnected(self) -> None:
        """Whatever is under way has an unknown outcome."""
        self._connected.clear()
        for _, answer in tuple(self._under_way.values()):
            answer.cancel()

    def on_connected(self) -> None:
        """Go on."""
        self._connected.set()

    def on_permission_error(self, message: str) -> None:
        """Refuse what the server has dropped: it sends no ack for that."""
        subject = refused_subject(message)
        for subjects, answer in tuple(self._under_way.values()):
            if subject in subjects and not answer.done():
                answer.set_result(Refusal(PERMISSION_CODE, message, is_final=True))


@asynccontextmanager
async def open_conditional_publisher(
    client: BusClient, jetstream: JetStreamContext, *, stream: str, servers: str
) -> AsyncIterator[ConditionalPublisher]:
    """Give a connection a way to write on conditions to one stream."""
    publisher = ConditionalPublisher(client, jetstream, stream=stream, servers=servers)
    with _listening(client, publisher):
        yield publisher


@contextmanager
def _listening(client: BusClient, publisher: ConditionalPublisher) -> Iterator[None]:
    client.listeners.append(publisher)
    try:
        yield
    finally:
        client.listeners.remove(publisher)


def _chunks(messages: Iterable[Conditional]) -> Iterator[list[Conditional]]:
    """Yield what makes one atomic batch each; a message of more than that comes alone."""
    chunk: list[Conditional] = []
    size_bytes = 0
    for message in messages:
        size = len(message.outgoing.payload)
        if chunk and (len(chunk) == MAX_BATCH_COUNT or size_bytes + size > MAX_BATCH_BYTES):
            yield chunk
            chunk, size_bytes = [], 0
        chunk.append(message)
        size_bytes += size
    if chunk:
        yield chunk
