"""Archives as JSON lines and as Parquet.

JSON lines: an object per record, `type` first, bytes in base64; beside the raw bytes of an event
stands what they say, for people and other programs, and is not read back. Parquet: a row per
record; pyarrow is loaded only then.
"""

import base64
import binascii
import importlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import IO, Any

from infrastructure.errors import ArchiveError
from infrastructure.history.archive import (
    BlobRecord,
    End,
    EventRecord,
    Header,
    Record,
    header_fields,
    parse_header,
)

PARQUET_MAGIC = b"PAR1"
ROW_GROUP_BYTES = 16 * 2**20
ROW_GROUP_ROWS = 20_000

Describe = Callable[[bytes], Mapping[str, Any] | None]
"""Turns raw bytes into the event as plain values, or None where they do not decode."""


class ArchiveFormat(Enum):
    """How an archive is written."""

    JSONL = "jsonl"
    PARQUET = "parquet"


def format_of(path: Path) -> ArchiveFormat:
    """Return the format of an existing archive, by its first bytes."""
    with path.open("rb") as file:
        is_parquet = file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC
    return ArchiveFormat.PARQUET if is_parquet else ArchiveFormat.JSONL


def write_jsonl(records: Iterable[Record], file: IO[bytes], describe: Describe) -> None:
    """Write records as JSON lines."""
    for record in records:
        line = json.dumps(_fields(record, describe), separators=(",", ":"))
        file.write(line.encode() + b"\n")


def read_jsonl(file: IO[bytes]) -> Iterator[Record]:
    """Yield the records of JSON lines.

    Raises:
        ArchiveError: a line is no record.
    """
    for number, line in enumerate(file, start=1):
        try:
            yield _record(json.loads(line))
        except (ValueError, KeyError, TypeError, binascii.Error) as error:
            raise ArchiveError(reason=f"line {number} is no record of an archive") from error


def write_parquet(records: Iterable[Record], file: IO[bytes]) -> None:
    """Write records as Parquet, in row groups of bounded size."""
    pa, pq = _pyarrow()

    schema = _parquet_schema()
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for rows in _groups(records):
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))


def read_parquet(path: Path) -> Iterator[Record]:
    """Yield the records of a Parquet archive.

    Raises:
        ArchiveError: the file is no archive.
    """
    pa, pq = _pyarrow()

    try:
        with pq.ParquetFile(path) as source:
            for batch in source.iter_batches(batch_size=1_000):
                for row in batch.to_pylist():
                    yield _record(row)
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise ArchiveError(reason=f"it cannot be read as Parquet: {error}") from error


def read_archive(path: Path) -> Iterator[Record]:
    """Yield the records of an archive in either format.

    Raises:
        ArchiveError: the file is no archive.
    """
    if format_of(path) is ArchiveFormat.PARQUET:
        yield from read_parquet(path)
        return
    with path.open("rb") as file:
        yield from read_jsonl(file)


def _fields(record: Record, describe: Describe) -> dict[str, Any]:
    match record:
        case Header():
            return {"type": "header", **header_fields(record)}
        case EventRecord():
            return {
                "type": "event",
                "stream": record.stream,
                "sequence": record.sequence,
                "subject": record.subject,
                "raw": _base64(record.raw),
                "event": describe(record.raw),
            }
        case BlobRecord():
            return {"type": "blob", **asdict(record), "data": _base64(record.data)}
        case End():
            return {"type": "end", **asdict(record)}


def _row(record: Record) -> dict[str, Any]:
    match record:
        case Header():
            return {"type": "header", "data": json.dumps(header_fields(record)).encode()}
        case EventRecord():
            return {
                "type": "event",
                "stream": record.stream,
                "sequence": record.sequence,
                "subject": record.subject.encode("utf-8", "surrogateescape"),
                "raw": record.raw,
            }
        case BlobRecord():
            return {"type": "blob", **asdict(record)}
        case End():
            return {"type": "end", **asdict(record)}


def _record(fields: Mapping[str, Any]) -> Record:
    match fields["type"]:
        case "header":
            inner = json.loads(fields["data"]) if fields.get("data") else fields
            return parse_header(inner)
        case "event":
            return EventRecord(
                stream=fields["stream"],
                sequence=int(fields["sequence"]),
                subject=_subject(fields["subject"]),
                raw=_bytes(fields["raw"]),
            )
        case "blob":
            return BlobRecord(
                digest=fields["digest"],
                offset=int(fields["offset"]),
                size_bytes=int(fields["size_bytes"]),
                data=_bytes(fields["data"]),
            )
        case "end":
            return End(
                event_count=int(fields["event_count"]),
                blob_count=int(fields["blob_count"]),
                digest=fields["digest"],
            )
    raise ValueError(fields["type"])


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _subject(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "surrogateescape")


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else base64.b64decode(value, validate=True)


def _groups(records: Iterable[Record]) -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    held_bytes = 0
    for record in records:
        row = _row(record)
        rows.append(row)
        held_bytes += len(row.get("raw") or b"") + len(row.get("data") or b"")
        if held_bytes >= ROW_GROUP_BYTES or len(rows) >= ROW_GROUP_ROWS:
            yield rows
            rows, held_bytes = [], 0
    if rows:
        yield rows


def _pyarrow() -> tuple[Any, Any]:
    # Its stubs leave most names out, hence Any; it is slow to load, hence not at the top.
    return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")


def _parquet_schema() -> Any:
    pa, _ = _pyarrow()
    return pa.schema(
        [
            ("type", pa.dictionary(pa.int8(), pa.string())),
            ("stream", pa.dictionary(pa.int32(), pa.string())),
            ("sequence", pa.uint64()),
            ("subject", pa.binary()),
            ("raw", pa.binary()),
            ("digest", pa.string()),
            ("offset", pa.uint64()),
            ("size_bytes", pa.uint64()),
            ("data", pa.binary()),
            ("event_count", pa.uint64()),
            ("blob_count", pa.uint64()),
        ]
    )
