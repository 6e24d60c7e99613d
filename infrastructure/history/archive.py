"""The archive: history as a file that loses nothing, whatever the file's format. Pure.

An archive is a row of records: one header, the events of each stream in stream order, the contents
that they refer to in chunks, one end. The end carries a digest over all records before it, the same
in every format, so that a cut or altered archive is refused before anything of it is imported.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

from infrastructure.errors import ArchiveError

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedStream:
    """What an archive holds of one stream."""

    stream: str
    first_seq: int
    last_seq: int
    event_count: int
    identity: str
    """`name@created` of the stream that the events come from."""
    head: str
    """Ledger head at `last_seq`, `stream@sequence:hex`; what the importing side records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """First record."""

    exported_at: str
    streams: tuple[ArchivedStream, ...]
    version: int = FORMAT_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """One message of a stream."""

    stream: str
    sequence: int
    subject: str
    raw: bytes
    """As received, byte for byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobRecord:
    """One piece of a content; the pieces of one content follow each other in order."""

    digest: str
    """Hex SHA-256 of the whole content."""
    offset: int
    size_bytes: int
    """Of the whole content."""
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Last record."""

    event_count: int
    blob_count: int
    digest: str
    """Hex SHA-256 over all records before."""


Record = Header | EventRecord | BlobRecord | End


@dataclass(slots=True)
class ArchiveCheck:
    """Takes records in order and knows what the end must say, when writing and when reading."""

    header: Header | None = None
    event_count: int = 0
    blob_count: int = 0
    is_ended: bool = False
    _digest: Any = field(default_factory=sha256)
    _last_sequences: dict[str, int] = field(default_factory=dict)
    _open_blob: BlobRecord | None = None
    _blob_digest: Any = None

    def add(self, record: Record) -> None:
        """Check one record against all before it.

        Raises:
            ArchiveError: the record cannot stand here.
        """
        if self.is_ended:
            raise ArchiveError(reason="records follow the end")
        if (self.header is None) != isinstance(record, Header):
            raise ArchiveError(reason="it does not begin with one header")
        match record:
            case Header():
                self._take_header(record)
            case EventRecord():
                self._take_event(record)
            case BlobRecord():
                self._take_blob(record)
            case End():
                self._take_end(record)

    def end(self) -> End:
        """Return the end that belongs after the records so far."""
        return End(
            event_count=self.event_count,
            blob_count=self.blob_count,
            digest=self._digest.hexdigest(),
        )

    def _take_header(self, header: Header) -> None:
        if header.version > FORMAT_VERSION:
            raise ArchiveError(
                reason=f"its format is version {header.version}, this version reads up to "
                f"{FORMAT_VERSION}: update enchanted-swarm"
            )
        self.header = header
        text = json.dumps(asdict(header), sort_keys=True)
        self._mix(b"h", text.encode())

    def _take_event(self, event: EventRecord) -> None:
        before = self._last_sequences.get(event.stream, 0)
        if event.sequence <= before:
            raise ArchiveError(
                reason=f"{event.stream}#{event.sequence} follows {event.stream}#{before}"
            )
        self._last_sequences[event.stream] = event.sequence
        self.event_count += 1
        place = f"{event.stream}#{event.sequence}".encode()
        self._mix(b"e", place, event.subject.encode("utf-8", "surrogateescape"), event.raw)

    def _take_blob(self, blob: BlobRecord) -> None:
        if self._open_blob is None:
            self._begin_blob(blob)
        expected = self._open_blob
        if expected is None or (blob.digest, blob.offset, blob.size_bytes) != (
            expected.digest,
            expected.offset,
            expected.size_bytes,
        ):
            raise ArchiveError(reason=f"a piece of content {blob.digest} is missing")
        self._blob_digest.update(blob.data)
        self._mix(b"b", blob.digest.encode(), str(blob.offset).encode(), blob.data)
        self._advance_blob(blob)

    def _begin_blob(self, blob: BlobRecord) -> None:
        self._blob_digest = sha256()
        self._open_blob = BlobRecord(
            digest=blob.digest, offset=0, size_bytes=blob.size_bytes, data=b""
        )

    def _advance_blob(self, blob: BlobRecord) -> None:
        reached = blob.offset + len(blob.data)
        if reached < blob.size_bytes and blob.data:
            self._open_blob = BlobRecord(
                digest=blob.digest, offset=reached, size_bytes=blob.size_bytes, data=b""
            )
            return
        if reached != blob.size_bytes or self._blob_digest.hexdigest() != blob.digest:
            raise ArchiveError(reason=f"content {blob.digest} does not have that digest")
        self._open_blob = None
        self.blob_count += 1

    def _take_end(self, end: End) -> None:
        if self._open_blob is not None:
            raise ArchiveError(reason=f"a piece of content {self._open_blob.digest} is missing")
        if end != self.end():
            raise ArchiveError(reason="its records are not those that were exported")
        self.is_ended = True

    def _mix(self, *parts: bytes) -> None:
        for part in parts:
            self._digest.update(len(part).to_bytes(8, "big"))
            self._digest.update(part)


def completed(records: Iterable[Record]) -> Iterator[Record]:
    """Yield the records and, after the last one, their end."""
    check = ArchiveCheck()
    for record in records:
        check.add(record)
        yield record
    yield check.end()


def checked(records: Iterable[Record]) -> Iterator[Record]:
    """Yield the records as long as they are those that were exported.

    Raises:
        ArchiveError: they are not, or they end early.
    """
    check = ArchiveCheck()
    for record in records:
        check.add(record)
        yield record
    if not check.is_ended:
        raise ArchiveError(reason="it ends early")


def header_fields(header: Header) -> dict[str, Any]:
    """Return the header as plain values."""
    return asdict(header)


def parse_header(fields: Mapping[str, Any]) -> Header:
    """Return the header of plain values.

    Raises:
        ArchiveError: they are not a header's.
    """
    try:
        streams = tuple(ArchivedStream(**one) for one in fields["streams"])
        return Header(
            version=int(fields["version"]), exported_at=str(fields["exported_at"]), streams=streams
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ArchiveError(reason=f"its header cannot be read: {error}") from error
