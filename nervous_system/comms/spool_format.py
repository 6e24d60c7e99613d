"""How an event lies in a spool file: pure.

A record is length, CRC-32 and body. A record that is cut short or damaged ends the file: what
comes before it counts, and nothing after it can have been promised, because records are written in
one go and in order.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from nervous_system.comms.contracts import Outgoing

_FRAME = struct.Struct(">II")  # length of the body, its CRC-32
_BODY = struct.Struct(">QQQHHHII")
# number, after_sequence, emitter_seq; lengths of event id, emitter id, subject, headers, payload

FRAME_SIZE = _FRAME.size
FIXED_SIZE = _FRAME.size + _BODY.size


@dataclass(frozen=True, slots=True)
class Record:
    """One event as kept in a spool."""

    number: int
    """Position in its spool, from 1, without gaps."""
    after_sequence: int
    """Highest sequence that the stream was known to have when this was written; if stored.

    Then above it.
    """
    outgoing: Outgoing
    size_bytes: int
    """Of the whole record."""


def encode_record(number: int, after_sequence: int, outgoing: Outgoing) -> bytes:
    """Return the bytes of one record."""
    event_id = outgoing.event_id.encode()
    emitter_id = outgoing.emitter_id.encode()
    subject = outgoing.subject.encode()
    headers = (
        "\n".join([f"{name}\t{value}" for name, value in outgoing.headers.items()]).encode()
        if outgoing.headers
        else b""
    )
    payload = outgoing.payload
    body = b"".join(
        (
            _BODY.pack(
                number,
                after_sequence,
                outgoing.emitter_seq,
                len(event_id),
                len(emitter_id),
                len(subject),
                len(headers),
                len(payload),
            ),
            event_id,
            emitter_id,
            subject,
            headers,
            payload,
        )
    )
    return _FRAME.pack(len(body), zlib.crc32(body)) + body


def decode_records(data: bytes, start: int = 0) -> Iterator[Record]:
    """Yield the whole, undamaged records of `data` from offset `start` on."""
    view = memoryview(data)
    while start + FIXED_SIZE <= len(data):
        length, checksum = _FRAME.unpack_from(data, start)
        end = start + FRAME_SIZE + length
        if end > len(data) or length < _BODY.size:
            return
        body = view[start + FRAME_SIZE : end]
        if zlib.crc32(body) != checksum:
            return
        yield _decode_body(body, end - start)
        start = end


def is_torn(data: bytes, start: int) -> bool:
    """Return whether what lies from `start` on, no record, is one that was never finished.

    Otherwise it was one once: it is whole but for its content, or records follow it.
    """
    if not any(memoryview(data)[start:]):
        return True  # the file had grown, its content was not on disk yet
    if start + FRAME_SIZE <= len(data):
        length, _ = _FRAME.unpack_from(data, start)
        if _BODY.size <= length <= len(data) - start - FRAME_SIZE:
            return False
    ends = range(start + 1, len(data) - FIXED_SIZE + 1)
    return not any(_is_record(data, position) for position in ends)


def _is_record(data: bytes, start: int) -> bool:
    length, checksum = _FRAME.unpack_from(data, start)
    end = start + FRAME_SIZE + length
    if length < _BODY.size or end > len(data):
        return False
    return bool(zlib.crc32(memoryview(data)[start + FRAME_SIZE : end]) == checksum)


def _decode_body(body: memoryview, size_bytes: int) -> Record:
    number, after_sequence, emitter_seq, *lengths = _BODY.unpack_from(body)
    fields = []
    position = _BODY.size
    for length in lengths:
        fields.append(bytes(body[position : position + length]))
        position += length
    event_id, emitter_id, subject, headers, payload = fields
    lines = headers.decode().split("\n") if headers else []
    outgoing = Outgoing(
        subject=subject.decode(),
        payload=payload,
        event_id=event_id.decode(),
        emitter_id=emitter_id.decode(),
        emitter_seq=emitter_seq,
        headers=dict(line.split("\t", 1) for line in lines),
    )
    return Record(number, after_sequence, outgoing, size_bytes)
