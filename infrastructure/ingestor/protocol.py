"""Reads what a NATS server sends; pure: bytes in, messages out.

nats-py spends 7 µs of CPU on each message it hands to a callback, which alone would cap an ingestor
at half its goal. This parser scans a large buffer for the two kinds of message and keeps the
messages of one hot subscription in parallel lists. Everything else that a server may say is
collected for the connection to answer.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

HOT_SID = b"1"
"""Subscription whose messages are kept in `MessageParser.batch`."""

_INITIAL_BYTES = 1 << 20
_MIN_ROOM = 1 << 16
_MAX_CONTROL_LINE = 1 << 16
_STATUS = re.compile(rb"NATS/1\.0 (\d{3})(?: ([^\r\n]*))?")
_ACK_PREFIX = b"$JS.ACK."


class ProtocolError(Exception):
    """The server sent what no NATS server sends; the connection is of no more use."""


@dataclass(slots=True)
class RawBatch:
    """Messages as received, in stream order: parallel lists. Headers are dropped."""

    sequences: list[int] = field(default_factory=list)
    subjects: list[bytes] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    size_bytes: int = 0
    """Bytes of the payloads."""

    def __len__(self) -> int:
        return len(self.sequences)


@dataclass(frozen=True, slots=True)
class Message:
    """A message outside the hot subscription, or a status."""

    subject: bytes
    sid: bytes
    reply: bytes
    headers: bytes
    payload: bytes

    @property
    def status(self) -> tuple[int, str] | None:
        """Code and description where this is a status of the server, not a message."""
        match = _STATUS.match(self.headers)
        if match is None:
            return None
        return int(match[1]), (match[2] or b"").decode(errors="replace")

    def header(self, name: str) -> str | None:
        """Return the first value of a header."""
        wanted = name.lower().encode()
        for line in self.headers.split(b"\r\n")[1:]:
            key, colon, value = line.partition(b":")
            if colon and key.strip().lower() == wanted:
                return value.strip().decode(errors="replace")
        return None


class MessageParser:
    """Takes bytes as they come from a socket, in pieces of any size.

    `buffer` gives the room to receive into, `received` says how much came. Then `batch` holds the
    messages of the hot subscription, `messages` all others and `control` the lines that are no
    messages; whoever takes them empties them.

    Nothing on the hot subscription is believed but what one consumer of one stream delivers, each
    message once and none left out: see `follow`.
    """

    def __init__(self) -> None:
        self.batch = RawBatch()
        self.messages: list[Message] = []
        self.control: list[bytes] = []
        self.last_reply = b""
        """Reply subject of the last hot message: where it stands in its stream."""
        self._buffer = bytearray(_INITIAL_BYTES)
        self._end = 0
        self._wanted = 1
        self._followed: tuple[bytes, bytes] | None = None
        self._delivered = 0
        self._reply_head = b""
        self._reply_tail = 0

    def follow(self, stream: str, consumer: str) -> None:
        """Take hot messages of this new consumer alone, from its first on; drop what came before.

        Its deliveries carry its own count. Nothing is acked, so that what is lost on the way never
        comes again: a jump in that count, like a message of any other consumer, is an error.
        """
        self._followed, self._delivered = (stream.encode(), consumer.encode()), 0
        self._reply_head = b""
        self.batch = RawBatch()

    def buffer(self) -> memoryview:
        """Return the room for the next piece."""
        room = max(_MIN_ROOM, self._wanted - self._end)
        if len(self._buffer) - self._end < room:
            # A new one, since the event loop may still hold a view of the old one.
            grown = bytearray(self._end + room)
            grown[: self._end] = memoryview(self._buffer)[: self._end]
            self._buffer = grown
        return memoryview(self._buffer)[self._end :]

    def received(self, size: int) -> None:
        """Take note that `size` bytes were written into `buffer`, and parse what is complete.

        Raises:
            ProtocolError: this is not the NATS protocol.
        """
        self._end += size
        if self._end < self._wanted:
            return
        # One copy of the whole piece makes every slice below a cheap slice of immutable bytes.
        data = bytes(memoryview(self._buffer)[: self._end])
        used = self._parse(data)
        rest = len(data) - used
        if len(self._buffer) > _INITIAL_BYTES and rest < _INITIAL_BYTES:
            self._buffer = bytearray(_INITIAL_BYTES)
        self._buffer[:rest] = data[used:]
        self._end = rest
        self._wanted -= used

    def take_batch(self) -> RawBatch:
        """Return the messages of the hot subscription and begin a new batch."""
        batch, self.batch = self.batch, RawBatch()
        return batch

    def _parse(self, data: bytes) -> int:
        """Parse whole messages from the start of `data`; return how many bytes they took."""
        batch = self.batch
        subjects, payloads, replies = batch.subjects, batch.payloads, list[bytes]()
        add_subject, add_payload, add_reply = subjects.append, payloads.append, replies.append
        find, total, at, size_sum = data.find, len(data), 0, 0
        while (line_end := find(b"\r\n", at)) >= 0:
            parts = data[at:line_end].split(b" ")
            op, body = parts[0], line_end + 2
            if op == b"HMSG" and len(parts) == 6 and parts[2] == HOT_SID:
                after = body + int(parts[5])
                start = body + int(parts[4])
            elif op == b"MSG" and len(parts) == 5 and parts[2] == HOT_SID:
                after = body + int(parts[4])
                start = body
            else:
                after = self._parse_other(data, parts, body)
                if after > total:
                    self._wanted = after
                    break
                at = after
                continue
            if after + 2 > total:
                self._wanted = after + 2
                break
            add_reply(parts[3])
            add_subject(parts[1])
            add_payload(data[start:after])
            size_sum += after - start
            at = after + 2
        else:
            self._wanted = total + 1
            if total - at > _MAX_CONTROL_LINE:
                raise ProtocolError(f"a line of more than {_MAX_CONTROL_LINE} bytes")
        if replies:
            batch.size_bytes += size_sum
            batch.sequences += self._sequences(replies)
            self.last_reply = replies[-1]
        return at

    def _sequences(self, replies: list[bytes]) -> Sequence[int]:
        """Return where the messages stand in their stream, and compare the count of deliveries."""
        head, size = self._reply_head, len(self._reply_head)
        if not head or any([reply[:size] != head for reply in replies]):  # noqa: C419 half the time
            for reply in replies:
                self._recognise(reply)
        first, _ = self._place(replies[0])
        last, delivered = self._place(replies[-1])
        self._count(len(replies), delivered)
        # Both counts only grow: as many steps as messages leave no room for a gap between them.
        if last - first == len(replies) - 1:
            return range(first, last + 1)
        return [self._place(reply)[0] for reply in replies]

    def _place(self, reply: bytes) -> tuple[int, int]:
        """Return the stream's and the consumer's number of a message."""
        place = reply.rsplit(b".", self._reply_tail)
        return int(place[1]), int(place[2])

    def _recognise(self, reply: bytes) -> None:
        """Take note of what replies of this kind begin with, and how many tokens follow it."""
        tokens, at = _split_reply(reply)
        if self._followed is not None and (tokens[at - 3], tokens[at - 2]) != self._followed:
            raise ProtocolError(f"a message that was not asked for: {reply!r}")
        self._reply_tail = len(tokens) - at
        self._reply_head = b".".join((*tokens[:at], b""))

    def _count(self, received: int, last: int) -> None:
        """Compare the consumer's count of its deliveries with ours."""
        self._delivered += received
        if self._followed is not None and last != self._delivered:
            raise ProtocolError(f"delivery {last} came as number {self._delivered}")

    def _parse_other(self, data: bytes, parts: list[bytes], body: int) -> int:
        """Collect what is no hot message; return where it ends, or would end were it complete."""
        op = parts[0].upper()
        if op not in {b"MSG", b"HMSG"}:
            self.control.append(b" ".join(parts))
            return body
        try:
            sizes = parts[-2:] if op == b"HMSG" else [b"0", parts[-1]]
            header_size, size = int(sizes[0]), int(sizes[1])
            subject, sid = parts[1], parts[2]
        except (IndexError, ValueError) as error:
            raise ProtocolError(f"not a message: {parts!r}") from error
        end = body + size
        if end + 2 <= len(data):
            fixed = 3 + len(sizes) if op == b"HMSG" else 4
            reply = parts[3] if len(parts) > fixed else b""
            split = body + header_size
            self.messages.append(Message(subject, sid, reply, data[body:split], data[split:end]))
        return end + 2


def _split_reply(reply: bytes) -> tuple[list[bytes], int]:
    """Return the tokens of a reply subject of JetStream, and where the stream sequence is in it.

    It is `$JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.<consumer sequence>.<time>.<pending>`,
    with a domain and an account in front of the stream, and possibly more at the end, where the
    server says so.

    Raises:
        ProtocolError: it is none.
    """
    tokens = reply.split(b".")
    at = 5 if len(tokens) == 9 else 7
    if not reply.startswith(_ACK_PREFIX) or len(tokens) < at + 4:
        raise ProtocolError(f"not a JetStream reply: {reply!r}")
    return tokens, at


@dataclass(frozen=True, slots=True)
class Position:
    """Where a message stands in its stream, from its reply subject."""

    sequence: int
    stored_ns: int
    """When the stream stored it, nanoseconds since 1970."""
    pending: int
    """How many messages came after it in the stream when it was delivered."""


def parse_position(reply: bytes) -> Position:
    """Return what a reply subject of JetStream says.

    Raises:
        ProtocolError: it is none.
    """
    tokens, at = _split_reply(reply)
    return Position(int(tokens[at]), int(tokens[at + 2]), int(tokens[at + 3]))
