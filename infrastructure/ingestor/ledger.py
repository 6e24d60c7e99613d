"""The ledger: each batch of a stream is linked to the one before it by a root.

    leaf(message) = sequence (u64, big-endian) + length-prefixed subject + SHA-256 of the raw bytes
    root(batch)   = SHA-256(root before + length-prefixed identity of the stream + leaves in order)

Length prefixes are u32, big-endian; the root before the first batch is 32 zero bytes. Everything
here is pure, so that the ingestor, verification and readers of exported heads agree by
construction.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from struct import Struct

DIGEST_BYTES = 32
GENESIS = bytes(DIGEST_BYTES)
"""The root before the first batch."""

_pack_u32 = Struct(">I").pack
_pack_u64 = Struct(">Q").pack
_HEAD = re.compile(r"([^@:\s]+)@(\d{1,20}):([0-9a-f]{64})")


@dataclass(frozen=True, slots=True, order=True)
class Head:
    """Where a stream's ledger stands: written `stream@sequence:hex`."""

    stream: str
    sequence: int
    """Sequence of the last message that the root covers; 0 before the first."""
    root: bytes = GENESIS


def format_head(head: Head) -> str:
    """Return the text form of a head."""
    return f"{head.stream}@{head.sequence}:{head.root.hex()}"


def parse_head(text: str) -> Head:
    """Return the head that `format_head` wrote.

    Raises:
        ValueError: the text is not a head.
    """
    match = _HEAD.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a ledger head: expected stream@sequence:hex")
    return Head(match[1], int(match[2]), bytes.fromhex(match[3]))


def prefixed(data: bytes) -> bytes:
    """Return `data` behind its length."""
    return _pack_u32(len(data)) + data


def leaf(sequence: int, subject: bytes, raw: bytes) -> bytes:
    """Return what one message adds to its batch; a subject need not be UTF-8."""
    return _pack_u64(sequence) + prefixed(subject) + sha256(raw).digest()


def next_root(previous: bytes, identity: str, leaves: Iterable[bytes]) -> bytes:
    """Return the root of a batch.

    Args:
        previous: root of the batch before it; `GENESIS` for the first.
        identity: the stream's `name@created`.
        leaves: what `leaf` gives for each message, in order; pieces of leaves will do as well.
    """
    return sha256(previous + prefixed(identity.encode()) + b"".join(leaves)).digest()
