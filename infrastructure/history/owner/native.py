"""Native blocks as newer clients read them.

A client that names its protocol (`client_protocol_version`) expects a header before each block, and
from a certain version on a mark beside each column. The embedded engine writes neither. Its format
`Buffers` gives each column's bytes with their length, so the blocks can be put together here for
any version without knowing the types.
"""

import struct
from collections.abc import Iterator, Sequence

from nervous_system.varint import varint

HEADER_REVISION = 51903
"""From here on a block begins with its header."""
MARK_REVISION = 54454
"""From here on a column says whether it is serialized in a special way; ours never are."""
_BLOCK_HEADER = b"\x01\x00\x02\xff\xff\xff\xff\x00"
_COUNT = struct.Struct("<Q")


def assemble(buffers: bytes, columns: Sequence[tuple[str, str]], revision: int) -> bytes:
    """Return Native blocks for `Buffers` output; without rows, one that names the columns.

    Args:
        buffers: what the engine wrote, one or more blocks.
        columns: name and type of each column.
        revision: protocol version of the client.
    """
    pieces: list[bytes | memoryview] = []
    for row_count, contents in _blocks(memoryview(buffers)):
        pieces.extend(_block(row_count, contents, columns, revision))
    if not pieces:
        pieces = _block(0, [memoryview(b"")] * len(columns), columns, revision)
    return b"".join(pieces)


def _block(
    row_count: int,
    contents: Sequence[memoryview],
    columns: Sequence[tuple[str, str]],
    revision: int,
) -> list[bytes | memoryview]:
    pieces: list[bytes | memoryview] = [_BLOCK_HEADER] if revision >= HEADER_REVISION else []
    pieces.append(varint(len(columns)) + varint(row_count))
    mark = b"\x00" if revision >= MARK_REVISION else b""
    for (name, kind), content in zip(columns, contents, strict=True):
        pieces.append(_text(name) + _text(kind) + mark)
        pieces.append(content)
    return pieces


def _blocks(buffers: memoryview) -> Iterator[tuple[int, list[memoryview]]]:
    position = 0
    while position < len(buffers):
        column_count, row_count = struct.unpack_from("<QQ", buffers, position)
        position += 16
        contents = []
        for _ in range(column_count):
            (length,) = _COUNT.unpack_from(buffers, position)
            position += _COUNT.size
            contents.append(buffers[position : position + length])
            position += length
        yield row_count, contents


def _text(value: str) -> bytes:
    raw = value.encode()
    return varint(len(raw)) + raw
