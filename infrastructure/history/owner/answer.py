"""ClickHouse's HTTP interface, answer side: headers, errors, and failures in mid-stream; pure."""

import json
from collections.abc import Mapping

from infrastructure.history.owner.http1 import Response
from infrastructure.history.owner.outcome import EngineError
from infrastructure.history.owner.request import Call

_CONTENT_TYPES = {
    "JSON": "application/json; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "Native": "application/octet-stream",
    "XML": "application/xml; charset=UTF-8",
    "Arrow": "application/vnd.apache.arrow.file",
    "ArrowStream": "application/vnd.apache.arrow.stream",
    "Parquet": "application/octet-stream",
    "ORC": "application/octet-stream",
    "RowBinary": "application/octet-stream",
}


def build_summary(figures: Mapping[str, int], seconds: float) -> dict[str, str]:
    """Return the header that tells what a statement read and wrote."""
    names = ("read_rows", "read_bytes", "written_rows", "written_bytes", "result_rows")
    told = dict.fromkeys((*names, "total_rows_to_read", "result_bytes"), "0")
    told |= {name: str(value) for name, value in figures.items()}
    told["elapsed_ns"] = str(int(seconds * 1e9))
    return {"X-ClickHouse-Summary": json.dumps(told, separators=(",", ":"))}


def build_response(
    call: Call, body: bytes, output_format: str, headers: Mapping[str, str]
) -> Response:
    """Return the answer to a statement that succeeded."""
    shared = {
        "Content-Type": _CONTENT_TYPES.get(
            output_format, "text/tab-separated-values; charset=UTF-8"
        ),
        "X-ClickHouse-Server-Display-Name": "swarm",
        "X-ClickHouse-Query-Id": call.query_id,
        "X-ClickHouse-Timezone": "UTC",
    }
    if output_format:
        shared["X-ClickHouse-Format"] = output_format
    return Response(headers={**shared, **headers}, body=body)


def error_response(error: EngineError, query_id: str) -> Response:
    """Return the answer to one that did not."""
    return Response(
        status=error.status,
        headers={
            "Content-Type": "text/plain; charset=UTF-8",
            "X-ClickHouse-Server-Display-Name": "swarm",
            "X-ClickHouse-Query-Id": query_id,
            "X-ClickHouse-Exception-Code": str(error.code),
            "X-ClickHouse-Timezone": "UTC",
        },
        body=error.body,
    )


def late_exception(error: EngineError, tag: str) -> bytes:
    """Return what ClickHouse sends when a query fails after its answer has begun."""
    text = error.body.decode()
    return (
        f"\r\n__exception__\r\n{tag}\r\n{text}{len(text.encode())} {tag}\r\n__exception__\r\n"
    ).encode()
