"""OTLP over HTTP: takes traces, publishes them, and answers only then; hands on hooks."""

import asyncio
import logging
import zlib
from collections.abc import Awaitable, Callable, Sequence

from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from infrastructure.history.owner.http1 import Handler, Request, Response
from infrastructure.intake.errors import OtlpDecodeError
from infrastructure.intake.metrics import IntakeMetrics
from infrastructure.intake.otlp_json import describe, parse_json
from infrastructure.intake.spans import Accepted, accept
from nervous_system.errors import BusError

MAX_BODY_BYTES = 64 << 20
"""Larger bodies, compressed or not, are refused."""
RETRY_SECONDS = 1
PROTOBUF = "application/x-protobuf"
JSON = "application/json"
_INVALID_ARGUMENT = 3
_UNAVAILABLE = 14
_log = logging.getLogger(__name__)

Publish = Callable[[Sequence[bytes]], Awaitable[None]]
"""Publishes messages and returns when all of them are on disk in the stream."""


class Receiver:
    """Answers the requests of exporters, and of hooks."""

    def __init__(
        self,
        publish: Publish,
        metrics: IntakeMetrics,
        *,
        is_redacting: bool = True,
        hooks: Handler | None = None,
    ) -> None:
        self._publish = publish
        self._metrics = metrics
        self._is_redacting = is_redacting
        self._hooks = hooks

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        path = request.path.rstrip("/")
        if path in {"/healthz", "/readyz"}:
            return Response(body=b"Ok.\n")
        if path == "/metrics":
            return self._metrics.response()
        is_hook = self._hooks is not None and path.startswith("/v1/hooks/")
        if path != "/v1/traces" and not is_hook:
            return Response(status=404, body=b"only /v1/traces and /v1/hooks are offered\n")
        if request.method != "POST":
            return Response(status=405, headers={"Allow": "POST"})
        if is_hook and self._hooks is not None:
            return await self._hooks(request)
        return await self._export(request)

    async def _export(self, request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in {PROTOBUF, JSON}:
            return _failure(JSON, 415, _INVALID_ARGUMENT, f"Content-Type is {kind or 'missing'}")
        try:
            accepted = await asyncio.to_thread(_read, request, kind, self._is_redacting)
            await self._publish(accepted.messages)
        except OtlpDecodeError as error:
            self._metrics.refused("malformed")
            return _failure(kind, 400, _INVALID_ARGUMENT, str(error))
        except BusError as error:
            self._metrics.refused("bus")
            _log.warning("spans refused", extra={"action": "spans_refused", "reason": str(error)})
            return _failure(kind, 503, _UNAVAILABLE, "the bus is away: try again")
        self._metrics.accepted(accepted.span_count, accepted.rejected_count)
        self._metrics.redacted(accepted.redacted_count)
        return _success(kind, accepted)


def _read(request: Request, kind: str, is_redacting: bool) -> Accepted:
    """Return what a body asks to be stored; takes a while for large ones."""
    body = _decompressed(request)
    if kind == JSON:
        return accept(parse_json(body), is_redacting=is_redacting)
    try:
        decoded = ExportTraceServiceRequest.FromString(bytes(body))
    except DecodeError as error:
        raise OtlpDecodeError(reason="not protobuf") from error
    return accept(decoded, is_redacting=is_redacting)


def _decompressed(request: Request) -> bytes | bytearray:
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding in {"", "identity"}:
        return request.body
    window = {"gzip": 31, "deflate": 15}.get(encoding)
    if window is None:
        raise OtlpDecodeError(reason=f"Content-Encoding {encoding} is not offered")
    return _inflate(request.body, window)


def _inflate(body: bytes | bytearray, window: int) -> bytes:
    machine = zlib.decompressobj(window)
    try:
        content = machine.decompress(body, MAX_BODY_BYTES)
    except zlib.error as error:
        raise OtlpDecodeError(reason="the compressed body is damaged") from error
    if machine.unconsumed_tail:
        raise OtlpDecodeError(reason=f"larger than {MAX_BODY_BYTES} bytes")
    if not machine.eof:
        raise OtlpDecodeError(reason="the compressed body is cut short")
    return content


def _success(kind: str, accepted: Accepted) -> Response:
    message = ExportTraceServiceResponse()
    if accepted.rejected_count:
        message.partial_success.rejected_spans = accepted.rejected_count
        message.partial_success.error_message = accepted.reason
    if kind == PROTOBUF:
        return Response(headers={"Content-Type": kind}, body=message.SerializeToString())
    partial = {"rejectedSpans": str(accepted.rejected_count), "errorMessage": accepted.reason}
    told = {"partialSuccess": partial} if accepted.rejected_count else {}
    return Response(headers={"Content-Type": kind}, body=describe(told))


def _failure(kind: str, status: int, code: int, reason: str) -> Response:
    headers = {"Content-Type": kind}
    if status == 503:
        headers["Retry-After"] = str(RETRY_SECONDS)
    if kind == PROTOBUF:
        body = Status(code=code, message=reason).SerializeToString()
    else:
        body = describe({"code": code, "message": reason})
    return Response(status=status, headers=headers, body=body)
