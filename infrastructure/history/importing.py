"""An archive onto a bus: contents, then every message as it was, in order, once.

The message id of an imported message names the stream and sequence that it comes from. That makes
a repeat harmless, and lets an import that was interrupted go on where the stream ends.
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from infrastructure.errors import ArchiveError
from infrastructure.history.archive import (
    ArchivedStream,
    BlobRecord,
    EventRecord,
    Header,
    Record,
)
from infrastructure.history.client import HistoryClient
from infrastructure.history.query_text import query_text
from nervous_system.comms.contracts import ContentStore, Outgoing, Publisher, Wait
from nervous_system.comms.streams import COORDINATION_STREAM, EVENTS_STREAM

WINDOW_RECORDS = 2_000
WINDOW_BYTES = 32 * 2**20
SUBMIT_SECONDS = 60.0
_PREFIXES = {EVENTS_STREAM: "swarm.events.", COORDINATION_STREAM: "swarm.coordination."}
"""What may be imported, and where subjects of it lie: an archive comes from elsewhere, and the one
who imports may publish on any subject of ours."""
_MESSAGE_ID = re.compile(r"import:(?P<identity>.+):(?P<sequence>\d+)")


class TargetStream(Protocol):
    """What the importing side says of its streams."""

    async def last_message_id(self, stream: str) -> str | None:
        """Return the message id of the last message, empty where it has none; None if empty."""
        ...

    async def bounds(self, stream: str) -> tuple[int, int]:
        """Return the first and the last sequence."""
        ...


@dataclass(slots=True)
class ImportedStream:
    """How far one stream has come."""

    source: ArchivedStream
    resumed_after: int = 0
    """Source sequence up to which an earlier run has come."""
    event_count: int = 0
    """Messages of this run."""
    first_seq: int = 0
    """Where all that was imported from it, by this run or earlier ones, begins here."""
    last_seq: int = 0


@dataclass(slots=True)
class ImportProgress:
    """How far an import has come."""

    streams: dict[str, ImportedStream] = field(default_factory=dict)
    blob_count: int = 0
    exported_at: str = ""

    @property
    def event_count(self) -> int:
        """Messages of all streams."""
        return sum(one.event_count for one in self.streams.values())


def message_id(identity: str, sequence: int) -> str:
    """Return the message id of an imported message."""
    return f"import:{identity}:{sequence}"


def parse_message_id(text: str) -> tuple[str, int] | None:
    """Return source identity and sequence, or None where the message was not imported."""
    matched = _MESSAGE_ID.fullmatch(text)
    return None if matched is None else (matched["identity"], int(matched["sequence"]))


async def begin_import(header: Header, target: TargetStream) -> ImportProgress:
    """Return where to begin in each stream.

    Raises:
        ArchiveError: a stream holds messages of its own.
    """
    progress = ImportProgress(exported_at=header.exported_at)
    for source in header.streams:
        last_id = await target.last_message_id(source.stream)
        after = 0
        if last_id is not None:
            found = parse_message_id(last_id)
            if found is None or found[0] != source.identity:
                raise ArchiveError(
                    reason=f"stream {source.stream} holds messages of its own: "
                    "import into a home of its own, `swarm import --home NEW`"
                )
            after = found[1]
        progress.streams[source.stream] = ImportedStream(source, resumed_after=after)
    return progress


async def import_records(
    records: Iterator[Record],
    progress: ImportProgress,
    *,
    publisher: Publisher,
    content: ContentStore,
    tell: Callable[[ImportProgress], None],
) -> None:
    """Put contents and publish messages; everything is on disk when it returns.

    Raises:
        BusError: the bus could not take it; running again goes on from there.
        ArchiveError: a stream of the archive is not in its header, a message is on a subject of
            another stream, or it went to another one here.
    """
    pieces: list[bytes] = []
    while window := list(_window(records)):
        messages = [record for record in window if isinstance(record, EventRecord)]
        for record in window:
            if isinstance(record, BlobRecord):
                pieces = await _take_piece(record, pieces, progress, content)
        await _publish(messages, progress, publisher)
        tell(progress)


async def end_import(progress: ImportProgress, target: TargetStream) -> None:
    """Note where the imported messages lie; the target holds nothing else."""
    for one in progress.streams.values():
        one.first_seq, one.last_seq = await target.bounds(one.source.stream)


def _window(records: Iterator[Record]) -> Iterator[Record]:
    held_bytes = 0
    for record in islice(records, WINDOW_RECORDS):
        yield record
        held_bytes += len(getattr(record, "raw", b"")) + len(getattr(record, "data", b""))
        if held_bytes > WINDOW_BYTES:
            return


async def _take_piece(
    record: BlobRecord, pieces: list[bytes], progress: ImportProgress, content: ContentStore
) -> list[bytes]:
    pieces.append(record.data)
    if record.offset + len(record.data) < record.size_bytes:
        return pieces
    await content.put(b"".join(pieces))
    progress.blob_count += 1
    return []


async def _publish(
    messages: list[EventRecord], progress: ImportProgress, publisher: Publisher
) -> None:
    todo = [
        (_stream_of(record, progress), record)
        for record in messages
        if record.sequence > _stream_of(record, progress).resumed_after
    ]
    outgoing = [_outgoing(stream, record) for stream, record in todo]
    receipts = await asyncio.gather(
        *(publisher.submit(one, Wait.ACK, SUBMIT_SECONDS) for one in outgoing)
    )
    for (stream, record), receipt in zip(todo, receipts, strict=True):
        if receipt.stream not in {"", record.stream}:
            raise ArchiveError(
                reason=f"{record.subject} of {record.stream} belongs to {receipt.stream} here"
            )
        stream.event_count += 1


def _stream_of(record: EventRecord, progress: ImportProgress) -> ImportedStream:
    found = progress.streams.get(record.stream)
    if found is None:
        raise ArchiveError(reason=f"stream {record.stream} is not in its header")
    return found


def _is_subject_of(stream: str, subject: str) -> bool:
    prefix = _PREFIXES.get(stream)
    return prefix is not None and subject.startswith(prefix)


def _outgoing(stream: ImportedStream, record: EventRecord) -> Outgoing:
    if not _is_subject_of(record.stream, record.subject):
        raise ArchiveError(
            reason=f"message {record.sequence} of {record.stream} is on {record.subject[:100]!r}, "
            "which is no subject of that stream: nothing may be published there"
        )
    return Outgoing(
        subject=record.subject,
        payload=record.raw,
        event_id=message_id(stream.source.identity, record.sequence),
        # One lane for a stream: its order is part of what is imported.
        emitter_id=f"import:{stream.source.stream}",
        emitter_seq=record.sequence,
    )


def record_import(history: HistoryClient, progress: ImportProgress) -> None:
    """Keep the old heads in `swarm.imports`, once.

    Raises:
        InsertRejectedError: the engine refused.
        HistoryUnavailableError: history cannot be reached.
    """
    for one in progress.streams.values():
        row = _import_row(one, progress.exported_at)
        place = {"identity": one.source.identity, "head": one.source.head}
        if not int(history.query(query_text("import_known"), place)[0]["known"]):
            history.insert_rows("swarm.imports", list(row), [list(row.values())])


def _import_row(one: ImportedStream, exported_at: str) -> Mapping[str, object]:
    return {
        "source_stream": one.source.stream,
        "source_identity": one.source.identity,
        "source_head": one.source.head,
        "source_first_seq": one.source.first_seq,
        "source_last_seq": one.source.last_seq,
        "event_count": one.source.event_count,
        "exported_at": exported_at,
        "first_seq": one.first_seq,
        "last_seq": one.last_seq,
    }
