"""An archive loses nothing, and says so when it was cut or altered."""

import io
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infrastructure.errors import ArchiveError
from infrastructure.history.archive import (
    ArchivedStream,
    BlobRecord,
    EventRecord,
    Header,
    Record,
    checked,
    completed,
)
from infrastructure.history.archive_formats import (
    ArchiveFormat,
    format_of,
    read_archive,
    write_jsonl,
    write_parquet,
)

SUBJECTS = st.text(min_size=1, max_size=20) | st.just("swarm.events.coder.decision.\udcff")
CONTENTS = st.lists(st.binary(max_size=40), unique=True, max_size=4)
SEQUENCES = st.lists(st.integers(1, 2**64 - 1), unique=True, max_size=6).map(sorted)


@st.composite
def archives(draw: st.DrawFn) -> list[Record]:
    records: list[Record] = []
    streams = []
    for stream in draw(st.lists(st.sampled_from(["A", "B"]), unique=True, max_size=2)):
        sequences = draw(SEQUENCES)
        records += [
            EventRecord(
                stream=stream,
                sequence=one,
                subject=draw(SUBJECTS),
                raw=draw(st.binary(max_size=40)),
            )
            for one in sequences
        ]
        streams.append(stream_of(stream, sequences))
    for content in draw(CONTENTS):
        records += pieces(content, draw(st.integers(1, 50)))
    header = Header(exported_at="2026-01-01T00:00:00Z", streams=tuple(streams))
    return list(completed([header, *records]))


def stream_of(stream: str, sequences: list[int]) -> ArchivedStream:
    return ArchivedStream(
        stream=stream,
        first_seq=min(sequences, default=0),
        last_seq=max(sequences, default=0),
        event_count=len(sequences),
        identity=f"{stream}@2026-01-01T00:00:00Z",
        head=f"{stream}@{max(sequences, default=0)}:00",
    )


def pieces(content: bytes, size: int) -> list[BlobRecord]:
    digest = sha256(content).hexdigest()
    return [
        BlobRecord(digest=digest, offset=at, size_bytes=len(content), data=content[at : at + size])
        for at in range(0, max(len(content), 1), size)
    ]


@given(archives())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("archive_format", list(ArchiveFormat))
def test_what_is_written_is_read_back(
    tmp_path: Path, archive_format: ArchiveFormat, records: list[Record]
) -> None:
    path = tmp_path / "archive"
    with path.open("wb") as file:
        if archive_format is ArchiveFormat.JSONL:
            write_jsonl(records, file, lambda _raw: None)
        else:
            write_parquet(records, file)
    assert format_of(path) is archive_format
    assert list(checked(read_archive(path))) == records


@given(archives(), st.data())
def test_a_missing_record_is_noticed(records: list[Record], data: st.DataObject) -> None:
    left_out = data.draw(st.integers(0, len(records) - 1))
    with pytest.raises(ArchiveError):
        list(checked(records[:left_out] + records[left_out + 1 :]))


@given(archives(), st.data())
def test_swapped_records_are_noticed(records: list[Record], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(records) - 2))
    swapped = records.copy()
    swapped[first], swapped[first + 1] = swapped[first + 1], swapped[first]
    with pytest.raises(ArchiveError):
        list(checked(swapped))


@given(archives(), st.data())
def test_an_altered_byte_is_noticed(records: list[Record], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(records) - 1))
    match records[at]:
        case EventRecord() as event:
            altered: Record = EventRecord(
                stream=event.stream,
                sequence=event.sequence,
                subject=event.subject,
                raw=event.raw + b"\x00",
            )
        case BlobRecord() as blob if blob.data:
            flipped = bytes([blob.data[0] ^ 1]) + blob.data[1:]
            altered = BlobRecord(
                digest=blob.digest, offset=blob.offset, size_bytes=blob.size_bytes, data=flipped
            )
        case _:
            return
    with pytest.raises(ArchiveError):
        list(checked([*records[:at], altered, *records[at + 1 :]]))


def test_the_event_stands_readable_beside_its_bytes() -> None:
    header = Header(exported_at="", streams=())
    event = EventRecord(stream="A", sequence=1, subject="swarm.events.coder.decision", raw=b"x")
    file = io.BytesIO()
    write_jsonl(completed([header, event]), file, lambda raw: {"length": len(raw)})
    assert b'"event":{"length":1}' in file.getvalue()


@pytest.mark.parametrize("content", [b"", b"{}\n", b"nonsense", b'{"type":"event"}\n', b"PAR1"])
def test_other_files_are_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="the archive cannot be used: "):
        list(checked(read_archive(path)))


def test_pieces_of_a_content_cover_it() -> None:
    assert all(
        one.offset + len(one.data) == two.offset for one, two in pairwise(pieces(b"x" * 99, 10))
    )
