"""History as archive records: what is held of each stream up to its newest ledger head.

Contents come first, so that whoever imports has them before the events that refer to them.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from infrastructure.history.archive import ArchivedStream, BlobRecord, EventRecord, Header
from infrastructure.history.client import HistoryClient
from infrastructure.history.query_text import query_text
from infrastructure.history.stored_rows import stored_rows

PIECE_BYTES = 1 << 20
"""Contents travel in pieces of this size, as history keeps them."""


def archived_streams(history: HistoryClient) -> tuple[ArchivedStream, ...]:
    """Return what an archive made now would hold.

    Raises:
        QueryFailedError: the engine could not say.
        HistoryUnavailableError: history cannot be reached.
    """
    return tuple(
        ArchivedStream(
            stream=str(row["stream"]),
            first_seq=int(row["first_seq"]),
            last_seq=int(row["last_seq"]),
            event_count=int(row["event_count"]),
            identity=str(row["identity"]),
            head=str(row["head"]),
        )
        for row in history.query(query_text("archived_streams"))
    )


def referenced_digests(history: HistoryClient, streams: Iterable[ArchivedStream]) -> list[str]:
    """Return the digests of all contents that the events refer to, sorted.

    Raises:
        QueryFailedError: the engine could not say.
        HistoryUnavailableError: history cannot be reached.
    """
    found: set[str] = set()
    for one in streams:
        place = {"stream": one.stream, "last": one.last_seq}
        rows = history.query(query_text("referenced_content"), place)
        found.update(str(row["digest"]) for row in rows)
    return sorted(found)


def export_records(
    history: HistoryClient,
    *,
    streams: Sequence[ArchivedStream],
    contents: Iterable[tuple[str, bytes]],
    exported_at: str,
) -> Iterator[Header | BlobRecord | EventRecord]:
    """Yield the records of an archive, without its end.

    Args:
        history: where the events are.
        streams: what `archived_streams` has said.
        contents: digest and bytes of each content.
        exported_at: RFC 3339.

    Raises:
        QueryFailedError: the engine refused or gave up.
        HistoryUnavailableError: history cannot be reached.
    """
    yield Header(exported_at=exported_at, streams=tuple(streams))
    yield from chain.from_iterable(blob_records(digest, content) for digest, content in contents)
    for one in streams:
        rows = stored_rows(history, stream=one.stream, first=one.first_seq, last=one.last_seq)
        for row in rows:
            yield EventRecord(
                stream=row.stream, sequence=row.sequence, subject=row.subject, raw=row.raw
            )


def blob_records(digest: str, content: bytes) -> Iterator[BlobRecord]:
    """Yield a content in pieces; an empty one is one empty piece."""
    for offset in range(0, max(len(content), 1), PIECE_BYTES):
        yield BlobRecord(
            digest=digest,
            offset=offset,
            size_bytes=len(content),
            data=content[offset : offset + PIECE_BYTES],
        )
