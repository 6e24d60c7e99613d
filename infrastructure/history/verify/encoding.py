"""Rows as the scratch table takes them: `Stored` messages with digests in the place of bytes; pure.

They are what the ingestor's encoding would make, without the ledger and with SHA-256 in the place
of `raw`: half of what would travel to the engine is saved, history's bytes are digested there.
"""

from collections.abc import Mapping, Sequence
from itertools import repeat
from struct import Struct

from infrastructure.history.event_run import Lengths
from infrastructure.ingestor.decoding import UNDECODABLE, Decoded, is_authenticated
from infrastructure.ingestor.encoding import bytes_field, uint_field
from infrastructure.ingestor.ledger import DIGEST_BYTES, prefixed

ROW_PIECES = 6
"""Pieces of one row: its length, sequence, what is shared, digest, start of the event, event."""

_SUBJECT, _RAW, _EVENT, _KIND, _REASON, _REPEATED, _AUTHENTICATED, _STREAM = 2, 3, 4, 5, 6, 7, 9, 13
_MAX_REMEMBERED = 50_000
_SEQUENCE = Struct("<BQ")
_pack_sequence = _SEQUENCE.pack
_SEQUENCE_TAG = 1 << 3 | 1
_RAW_START = bytes_field(_RAW, bytes(DIGEST_BYTES))[:-DIGEST_BYTES]
_event_starts = Lengths(bytes_field(_EVENT, b"")[:-1])
_lengths = Lengths()
IS_REPEATED = uint_field(_REPEATED, 1)


class Shared(dict[tuple[bytes, str, str], tuple[bytes, int, bytes]]):
    """What messages of one agent and kind on one subject share, remembered.

    By subject, agent id and kind: the encoded fields, how many bytes a row has beside its event,
    and the subject as the ledger takes it.
    """

    def __init__(self, stream: str) -> None:
        super().__init__()
        self._stream = bytes_field(_STREAM, stream.encode())

    def __missing__(self, key: tuple[bytes, str, str]) -> tuple[bytes, int, bytes]:
        """Encode them, and forget all others when they have become many."""
        subject, agent_id, kind = key
        if len(self) >= _MAX_REMEMBERED:
            self.clear()
        fields = bytes_field(_SUBJECT, subject) + bytes_field(_KIND, kind.encode())
        if kind != UNDECODABLE and is_authenticated(subject, agent_id):
            fields += uint_field(_AUTHENTICATED, 1)
        fields += self._stream + _RAW_START
        self[key] = found = (
            fields, _SEQUENCE.size + len(fields) + DIGEST_BYTES, prefixed(subject)
        )  # fmt: skip
        return found


def reason_field(reason: str) -> bytes:
    """Return the mark of a row that does not decode."""
    return bytes_field(_REASON, reason.encode())


def encode_rows(
    sequences: Sequence[int],
    subjects: Sequence[bytes],
    digests: Sequence[bytes],
    decoded: Decoded,
    marks: Mapping[int, bytes],
    shared: Shared,
) -> tuple[list[bytes], list[bytes]]:
    """Return the rows, `ROW_PIECES` for each, and the subjects as the ledger takes them.

    Args:
        sequences: of the messages.
        subjects: of the messages.
        digests: of the messages.
        decoded: what the messages are.
        marks: further fields of the row at a position.
        shared: what was encoded before.
    """
    keys = zip(subjects, decoded.agents, decoded.kinds, strict=True)
    same = [shared[key] for key in keys]
    sizes = [len(event) for event in decoded.canonical]
    starts = [_event_starts[size] for size in sizes]
    for at, mark in marks.items():
        starts[at] = mark + starts[at]
    pieces = [b""] * (ROW_PIECES * len(sequences))
    pieces[0::ROW_PIECES] = [
        _lengths[one[1] + size + len(start)]
        for one, size, start in zip(same, sizes, starts, strict=True)
    ]
    pieces[1::ROW_PIECES] = map(_pack_sequence, repeat(_SEQUENCE_TAG), sequences)
    pieces[2::ROW_PIECES] = [one[0] for one in same]
    pieces[3::ROW_PIECES] = digests
    pieces[4::ROW_PIECES] = starts
    pieces[5::ROW_PIECES] = decoded.canonical
    return pieces, [one[2] for one in same]
