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
_RAW_STARTS = [varint(_RAW << 3 | _BYTES) + varint(size) for size in range(_SMALL)]
_EVENT_STARTS = [varint(_EVENT << 3 | _BYTES) + varint(size) for size in range(_SMALL)]
_SEQ_TAG = bytes((_SEQ << 3 | _FIXED64,))


def _length(size: int) -> bytes:
    return _LENGTHS[size] if size < 2 * _SMALL else varint(size)


def _raw_start(size: int) -> bytes:
    return _RAW_STARTS[size] if size < _SMALL else varint(_RAW << 3 | _BYTES) + varint(size)


def _event_start(size: int) -> bytes:
    return _EVENT_STARTS[size] if size < _SMALL else varint(_EVENT << 3 | _BYTES) + varint(size)


class Envelopes:
    """The fields that messages of one agent and kind on one subject share, remembered."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, str, str], tuple[bytes, bytes]] = {}

    def get(self, subject: bytes, agent_id: str, kind: str) -> tuple[bytes, bytes]:
        """Return the encoded fields, and the subject as the ledger takes it."""
        key = (subject, agent_id, kind)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _MAX_ENVELOPES:
                self._known.clear()
            found = self._known[key] = self._encode(subject, agent_id, kind)
        return found

    @staticmethod
    def _encode(subject: bytes, agent_id: str, kind: str) -> tuple[bytes, bytes]:
        fields = bytes_field(_SUBJECT, subject) + bytes_field(_KIND, kind.encode())
        if kind != UNDECODABLE and is_authenticated(subject, agent_id):
            fields += uint_field(_AUTHENTICATED, 1)
        return fields, prefixed(subject)


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
        add_part, add_leaf, envelope = self.parts.append, self.leaves.append, envelopes.get
        join, digest, size = b"".join, sha256, 0
        marks = {at: bytes_field(_REASON, why.encode()) for at, why in decoded.reasons.items()}
        for at in repeated:
            marks[at] = _IS_REPEATED
        at = 0
        for sequence, subject, raw, canonical, agent, kind in zip(
            sequences, subjects, payloads, decoded.canonical, decoded.agents, decoded.kinds,
            strict=True,
        ):  # fmt: skip
            fields, subject_leaf = envelope(subject, agent, kind)
            row = join(
                (
                    _SEQ_TAG, _pack_little(sequence), fields,
                    _raw_start(len(raw)), raw,
                    _event_start(len(canonical)), canonical,
                    marks.get(at, b""), tail,
                )
            )  # fmt: skip
            add_part(_length(len(row)))
            add_part(row)
            add_leaf(_pack_big(sequence) + subject_leaf + digest(raw).digest())
            size += len(row)
            at += 1
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
