"""Protocol bytes of publishes: pure, and built once per event.

An event's headers are encoded when it is submitted, so that the spool can keep them as they are
and a batch only adds two lines per message.
"""

from collections.abc import Iterable
from functools import lru_cache

from nervous_system.comms.contracts import Outgoing
from nervous_system.errors import InvalidEventError

MESSAGE_ID_HEADER = "Nats-Msg-Id"
EMITTER_HEADER = "Swarm-Emitter"
EMPTY = b""
MAX_SUBJECT_BYTES = 3_000
"""The server ends connections whose control lines are over 4,096 bytes, reply included."""
MAX_HEADERS_BYTES = 60_000
"""The server refuses headers over 64 KiB; a batch adds some."""


@lru_cache(maxsize=8192)
def encode_subject(subject: str) -> bytes:
    """Return the bytes of a subject that a publish may name.

    Raises:
        InvalidEventError: the subject has empty tokens, wildcards or white space, or is too
            long.
    """
    tokens = subject.split(".")
    if (
        not all(tokens)
        or not subject.isprintable()
        or any(token in {"*", ">"} for token in tokens)
        or any(character.isspace() for character in subject)
    ):
        raise InvalidEventError(field="subject", reason=f"{subject!r} is no subject to publish on")
    encoded = subject.encode()
    if len(encoded) > MAX_SUBJECT_BYTES:
        raise InvalidEventError(
            field="subject", reason=f"{len(encoded)} bytes, at most {MAX_SUBJECT_BYTES}"
        )
    return encoded


def encode_headers(outgoing: Outgoing) -> bytes:
    """Return an event's header lines, without those that start and end a block.

    Raises:
        InvalidEventError: a header would break out of its line, or they are too large.
    """
    if outgoing.emitter_id:
        text = (
            f"{MESSAGE_ID_HEADER}: {outgoing.event_id}\r\n"
            f"{EMITTER_HEADER}: {outgoing.emitter_id}:{outgoing.emitter_seq}\r\n"
        )
        line_count = 2
    else:
        text = f"{MESSAGE_ID_HEADER}: {outgoing.event_id}\r\n"
        line_count = 1
    if outgoing.headers:
        text += "".join([f"{name}: {value}\r\n" for name, value in outgoing.headers.items()])
        line_count += len(outgoing.headers)
    encoded = text.encode()
    if encoded.count(b"\n") != line_count or encoded.count(b"\r") != line_count:
        raise InvalidEventError(field="headers", reason="a header holds a line break")
    if len(encoded) > MAX_HEADERS_BYTES:
        raise InvalidEventError(
            field="headers", reason=f"{len(encoded)} bytes, at most {MAX_HEADERS_BYTES}"
        )
    return encoded


def single_frame(subject: bytes, headers: bytes, payload: bytes, reply: bytes) -> bytes:
    """Return one publish that asks for an ack on `reply`."""
    header_size = len(headers) + 12  # the start line, and the empty line that ends the block
    return b"HPUB %b %b %d %d\r\nNATS/1.0\r\n%b\r\n%b\r\n" % (
        subject,
        reply,
        header_size,
        header_size + len(payload),
        headers,
        payload,
    )


def batch_frames(
    messages: Iterable[tuple[bytes, bytes, bytes]],
    batch_id: bytes,
    count: int,
    reply: bytes,
    first: int = 1,
) -> bytes:
    """Return publishes that the server stores together or not at all, with one ack.

    A batch may be sent in parts; the last one commits it.

    Args:
        messages: Subject, header lines and payload of each.
        batch_id: Unique, without white space.
        count: How many the batch holds, those of earlier parts included; 0: more parts follow.
        reply: Where the ack of the commit goes.
        first: Number of the first of `messages` within the batch.
    """
    parts: list[bytes] = []
    batch_line = b"Nats-Batch-Id: %b\r\nNats-Batch-Sequence: " % batch_id
    fixed_size = len(batch_line) + 14  # start line, end of the sequence line, empty line
    for number, (subject, headers, payload) in enumerate(messages, first):
        sequence = b"%d" % number
        size = fixed_size + len(headers) + len(sequence)
        if number != count:
            parts.append(
                b"HPUB %b %d %d\r\nNATS/1.0\r\n%b%b%b\r\n\r\n%b\r\n"
                % (subject, size, size + len(payload), headers, batch_line, sequence, payload)
            )
            continue
        size += 22  # the commit line
        parts.append(
            b"HPUB %b %b %d %d\r\nNATS/1.0\r\n%b%b%b\r\nNats-Batch-Commit: 1\r\n\r\n%b\r\n"
            % (subject, reply, size, size + len(payload), headers, batch_line, sequence, payload)
        )
    return EMPTY.join(parts)
