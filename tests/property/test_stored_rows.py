"""Pages of messages in the engine's row format."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from infrastructure.history.stored_rows import StoredRow, parse_rows

ROWS = st.lists(
    st.builds(
        StoredRow,
        stream=st.just("S"),
        sequence=st.integers(0, 2**64 - 1),
        event_time_ns=st.integers(-(2**63), 2**63 - 1),
        subject=st.text(max_size=300),
        raw=st.binary(max_size=300),
    ),
    max_size=5,
)


def varint(value: int) -> bytes:
    """LEB128, as its definition says: seven bits at a time, the lowest first."""
    head = b""
    while value >= 128:
        head += bytes([value % 128 + 128])
        value //= 128
    return head + bytes([value])


def written(row: StoredRow) -> bytes:
    subject = row.subject.encode()
    fixed = struct.pack("<Qq", row.sequence, row.event_time_ns)
    return fixed + varint(len(subject)) + subject + varint(len(row.raw)) + row.raw


@given(ROWS)
def test_a_page_is_read_as_it_was_written(rows: list[StoredRow]) -> None:
    assert list(parse_rows("S", b"".join(map(written, rows)))) == rows
