"""Rows as ClickHouse takes them: length-delimited `Stored` messages (stored.proto); pure.

A batch is put together run by run while messages arrive; closing it links it to the ledger. The
bytes are written by hand, since this runs for every event: constant parts are remembered, the rest
is joined once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from struct import Struct

from infrastructure.ingestor.decoding import UNDECODABLE, Decoded, is_authenticated
from infrastructure.ingestor.ledger import Head, next_root, prefixed

_VARINT, _FIXED64, _BYTES = 0, 1, 2
_SEQ, _SUBJECT, _RAW, _EVENT, _KIND, _REASON, _REPEATED, _AUTHENTICATED = 1, 2, 3, 4, 5, 6, 7, 9
_PREV_ROOT, _ROOT, _COUNT, _STREAM, _PREV_SEQ, _IDENTITY = 10, 11, 12, 13, 14, 15

_SMALL = 8192
_MAX_ENVELOPES = 50_000
_pack_little = Struct("<Q").pack
_pack_big = Struct(">Q").pack
_IS_REPEATED = bytes((_REPEATED << 3 | _VARINT, 1))


def varint(value: int) -> bytes:
    """Return `value` as protobuf writes it."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def bytes_field(number: int, data: bytes) -> bytes:
    """Return one length-delimited field."""
    return varint(number << 3 | _BYTES) + varint(len(data)) + data


def uint_field(number: int, value: int) -> bytes:
    """Return one varint field."""
    return varint(number << 3 | _VARINT) + varint(value)


_LENGTHS = [varint(size) for size in range(2 * _SMALL)]
_RAW_STARTS = [varint(_RAW << 3 | _BYTES) + size for size in _LENGTHS[:_SMALL]]
_EVENT_STARTS = [varint(_EVENT << 3 | _BYTES) + size for size in _LENGTHS[:_SMALL]]
_SEQ_TAG = bytes((_SEQ << 3 | _FIXED64,))


def _start(number: int, size: int) -> bytes:
    """Return what precedes the bytes of a length-delimited field."""
    return varint(number << 3 | _BYTES) + varint(size)


class Envelopes(dict[tuple[bytes, str, str], tuple[bytes, bytes]]):
    """The fields that messages of one agent and kind on one subject share, remembered.

    By subject, agent id and kind: the encoded fields, and the subject as the ledger takes it.
    """

    def __missing__(self, key: tuple[bytes, str, str]) -> tuple[bytes, bytes]:
        """Encode them, and forget all others when they have become many."""
        subject, agent_id, kind = key
        if len(self) >= _MAX_ENVELOPES:
            self.clear()
        fields = bytes_field(_SUBJECT, subject) + bytes_field(_KIND, kind.encode())
        if kind != UNDECODABLE and is_authenticated(subject, agent_id):
            fields += uint_field(_AUTHENTICATED, 1)
        self[key] = found = fields, prefixed(subject)
        return found


@dataclass(slots=True)
class Batch:
    """Rows on their way into history, and where the ledger stands after them."""

    before: Head
    """The head that the batch follows."""
    identity: str
    parts: list[bytes] = field(default_factory=list)
    """Length and row in turn."""
    leaves: list[bytes] = field(default_factory=list)
    sequences: list[int] = field(default_factory=list)
    size_bytes: int = 0
    """Bytes of `parts`."""
    undecodable: int = 0
    repeated: int = 0

    @property
    def row_count(self) -> int:
        """How many messages the batch holds."""
        return len(self.sequences)

    @property
    def last_sequence(self) -> int:
        """Sequence of its last message; of the head before it while it is empty."""
        return self.sequences[-1] if self.sequences else self.before.sequence

    def rows(self, start: int, end: int) -> list[bytes]:
        """Return the encoded rows from position `start` up to `end`."""
        return self.parts[2 * start : 2 * end]

    def add(
        self,
        sequences: Sequence[int],
        subjects: Sequence[bytes],
        payloads: Sequence[bytes],
        decoded: Decoded,
        repeated: set[int],
        envelopes: Envelopes,
    ) -> None:
        """Append messages, in order."""
        tail = bytes_field(_STREAM, self.before.stream.encode())
        tail += uint_field(_PREV_SEQ, self.before.sequence)
        marks = {sequences[at]: _IS_REPEATED for at in repeated}
        for at, why in decoded.reasons.items():
            marks[sequences[at]] = bytes_field(_REASON, why.encode())
        mark_of, nothing = marks.get, b""
        add_part, add_leaf = self.parts.append, self.leaves.append
        join, digest, little, big = b"".join, sha256, _pack_little, _pack_big
        size = 0
        for sequence, subject, raw, canonical, agent, kind in zip(
            sequences,
            subjects,
            payloads,
            decoded.canonical,
            decoded.agents,
            decoded.kinds,
            strict=True,
        ):
            fields, subject_leaf = envelopes[subject, agent, kind]
            raw_size, event_size = len(raw), len(canonical)
            row = join(
                (
                    _SEQ_TAG,
                    little(sequence),
                    fields,
                    _RAW_STARTS[raw_size] if raw_size < _SMALL else _start(_RAW, raw_size),
                    raw,
                    _EVENT_STARTS[event_size]
                    if event_size < _SMALL
                    else _start(_EVENT, event_size),
                    canonical,
                    mark_of(sequence, nothing),
                    tail,
                )
            )
            row_size = len(row)
            size += row_size
            add_part(_LENGTHS[row_size] if row_size < 2 * _SMALL else varint(row_size))
            add_part(row)
            add_leaf(big(sequence))
            add_leaf(subject_leaf)
            add_leaf(digest(raw).digest())
        self.sequences.extend(sequences)
        self.size_bytes += size
        self.undecodable += len(decoded.reasons)
        self.repeated += len(repeated)

    def close(self) -> Head:
        """Write the ledger's columns into the last row and return the head after the batch."""
        root = next_root(self.before.root, self.identity, self.leaves)
        last = b"".join(
            (
                self.parts[-1],
                bytes_field(_PREV_ROOT, self.before.root),
                bytes_field(_ROOT, root),
                uint_field(_COUNT, self.row_count),
                bytes_field(_IDENTITY, self.identity.encode()),
            )
        )
        self.parts[-2:] = [varint(len(last)), last]
        self.leaves.clear()
        return Head(self.before.stream, self.last_sequence, root)
