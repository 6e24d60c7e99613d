"""Rows as ClickHouse takes them: length-delimited `Stored` messages (stored.proto); pure.

A batch is put together run by run while messages arrive; closing it links it to the ledger. The
bytes are written by hand, since this runs for every event: constant parts are remembered, and the
pieces of all rows are joined once, when the batch is on its way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from struct import Struct

from infrastructure.ingestor.decoding import UNDECODABLE, Decoded, is_authenticated
from infrastructure.ingestor.ledger import Head, next_root, prefixed
from nervous_system.varint import varint

_VARINT, _FIXED64, _BYTES = 0, 1, 2
_SEQ, _SUBJECT, _RAW, _EVENT, _KIND, _REASON, _REPEATED, _AUTHENTICATED = 1, 2, 3, 4, 5, 6, 7, 9
_PREV_ROOT, _ROOT, _COUNT, _STREAM, _PREV_SEQ, _IDENTITY = 10, 11, 12, 13, 14, 15

_ROW_PIECES = 9
_SMALL = 8192
_MAX_ENVELOPES = 50_000
_MAX_AGENT_LENGTH = 1024
_pack_sequence = Struct("<BQ").pack
_pack_big = Struct(">Q").pack
_IS_REPEATED = bytes((_REPEATED << 3 | _VARINT, 1))


def bytes_field(number: int, data: bytes) -> bytes:
    """Return one length-delimited field."""
    return varint(number << 3 | _BYTES) + varint(len(data)) + data


def uint_field(number: int, value: int) -> bytes:
    """Return one varint field."""
    return varint(number << 3 | _VARINT) + varint(value)


_LENGTHS = [varint(size) for size in range(2 * _SMALL)]
_RAW_STARTS = [varint(_RAW << 3 | _BYTES) + size for size in _LENGTHS[:_SMALL]]
_EVENT_STARTS = [varint(_EVENT << 3 | _BYTES) + size for size in _LENGTHS[:_SMALL]]
_SEQ_TAG, _SEQ_SIZE = _SEQ << 3 | _FIXED64, 9


def _start(number: int, size: int) -> bytes:
    """Return what precedes the bytes of a length-delimited field."""
    return varint(number << 3 | _BYTES) + varint(size)


class Envelopes(dict[tuple[bytes, str, str], tuple[bytes, bytes]]):
    """The fields that messages of one agent and kind on one subject share, remembered.

    By subject, agent id and kind: the encoded fields, and the subject as the ledger takes it.
    """

    def __missing__(self, key: tuple[bytes, str, str]) -> tuple[bytes, bytes]:
        """Encode them, and forget all others when they have become many; long ones are not kept."""
        subject, agent_id, kind = key
        if len(self) >= _MAX_ENVELOPES:
            self.clear()
        fields = bytes_field(_SUBJECT, subject) + bytes_field(_KIND, kind.encode())
        if kind != UNDECODABLE and is_authenticated(subject, agent_id):
            fields += uint_field(_AUTHENTICATED, 1)
        found = fields, prefixed(subject)
        if len(agent_id) <= _MAX_AGENT_LENGTH:
            self[key] = found
        return found


@dataclass(slots=True)
class Batch:
    """Rows on their way into history, and where the ledger stands after them."""

    before: Head
    """The head that the batch follows."""
    identity: str
    parts: list[bytes] = field(default_factory=list)
    """The rows in pieces, each row behind its length."""
    leaves: list[bytes] = field(default_factory=list)
    sequences: list[int] = field(default_factory=list)
    size_bytes: int = 0
    """Bytes of `parts`."""
    undecodable: int = 0
    repeated: int = 0
    _last_at: int = 0
    """Where in `parts` the last row begins, with its length."""
    _last_size: int = 0

    @property
    def row_count(self) -> int:
        """How many messages the batch holds."""
        return len(self.sequences)

    @property
    def last_sequence(self) -> int:
        """Sequence of its last message; of the head before it while it is empty."""
        return self.sequences[-1] if self.sequences else self.before.sequence

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
        parts, leaves = self.parts, self.leaves
        digest, big, pack = sha256, _pack_big, _pack_sequence
        fixed_size = _SEQ_SIZE + len(tail)
        size = row_size = 0
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
            raw_start = _RAW_STARTS[raw_size] if raw_size < _SMALL else _start(_RAW, raw_size)
            event_start = (
                _EVENT_STARTS[event_size] if event_size < _SMALL else _start(_EVENT, event_size)
            )
            mark = mark_of(sequence, nothing)
            row_size = (
                fixed_size + len(fields) + len(raw_start) + raw_size + len(event_start)
                + event_size + len(mark)
            )  # fmt: skip
            size += row_size
            parts += (
                _LENGTHS[row_size] if row_size < 2 * _SMALL else varint(row_size),
                pack(_SEQ_TAG, sequence), fields, raw_start, raw, event_start, canonical,
                mark, tail,
            )  # fmt: skip
            leaves += (big(sequence), subject_leaf, digest(raw).digest())
        if sequences:
            self._last_at, self._last_size = len(parts) - _ROW_PIECES, row_size
        self.sequences.extend(sequences)
        self.size_bytes += size
        self.undecodable += len(decoded.reasons)
        self.repeated += len(repeated)

    def close(self) -> Head:
        """Write the ledger's columns into the last row and return the head after the batch."""
        root = next_root(self.before.root, self.identity, self.leaves)
        ledger = b"".join(
            (
                bytes_field(_PREV_ROOT, self.before.root),
                bytes_field(_ROOT, root),
                uint_field(_COUNT, self.row_count),
                bytes_field(_IDENTITY, self.identity.encode()),
            )
        )
        self.parts[self._last_at] = varint(self._last_size + len(ledger))
        self.parts.append(ledger)
        self.leaves.clear()
        return Head(self.before.stream, self.last_sequence, root)
