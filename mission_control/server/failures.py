"""Errors as answers: one shape, the status that fits, and what to do. The only such place."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from cortex.cli.errors import CommandFailedError
from cortex.errors import MomentError, NotRecordedError
from infrastructure.errors import HistoryUnavailableError, QueryFailedError, QueryRefusedError
from mission_control.errors import BadQuestionError
from nervous_system.errors import BusUnavailableError, ContentMissingError, SwarmError

logger = logging.getLogger(__name__)
Handler = Callable[[Request, Any], Awaitable[Response]]


class Told(NamedTuple):
    """How an error is told."""

    status: int
    code: str
    fix: str


_AGAIN = "try again in a moment; `swarm status` says what runs"
_TOLD: dict[type[SwarmError], Told] = {
    BadQuestionError: Told(400, "bad_request", "correct the parameter"),
    MomentError: Told(400, "bad_moment", "name another event or time"),
    NotRecordedError: Told(404, "not_found", ""),
    CommandFailedError: Told(404, "not_found", ""),
    QueryRefusedError: Told(403, "query_refused", "ask tables and views of `swarm` only"),
    HistoryUnavailableError: Told(503, "history_unavailable", _AGAIN),
    BusUnavailableError: Told(503, "bus_unavailable", _AGAIN),
}
_BY_STATUS = {
    400: ("bad_request", "correct the request"),
    404: ("not_found", "see /api/openapi.json for what there is"),
    405: ("method_not_allowed", "see /api/openapi.json for what there is"),
}
_LIMITS = frozenset({159, 160, 202, 241, 307, 396})
"""ClickHouse's codes of what a query may take: time, its estimate, queries at once, memory, bytes,
rows."""
_INTERNAL = "the dashboard met something that it does not know"


def failure(status: int, code: str, message: str, fix: str = "") -> JSONResponse:
    """Return the answer that tells a failure."""
    content = {"error": {"code": code, "message": message, "fix": fix}}
    return JSONResponse(content, status, headers={"cache-control": "no-store"})


def translate_errors(app: FastAPI) -> None:
    """Have every error of an endpoint answered in one shape."""
    handlers: dict[type[Exception], Handler] = {
        SwarmError: _tell_ours,
        RequestValidationError: _tell_validation,
        HTTPException: _tell_http,
        Exception: _tell_unknown,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


async def _tell_ours(request: Request, error: SwarmError) -> Response:
    if isinstance(error, QueryFailedError):
        return _query_failure(error)
    if isinstance(error, ContentMissingError):
        return failure(404, "content_not_kept", f"content {error.digest} is not kept")
    for kind in type(error).__mro__:
        if kind in _TOLD:
            told = _TOLD[kind]
            return failure(told.status, told.code, str(error), told.fix)
    return await _tell_unknown(request, error)


def _query_failure(error: QueryFailedError) -> Response:
    fix = "ask for less at once" if error.code in _LIMITS else "correct the query"
    return failure(422, f"clickhouse_{error.code}", str(error), fix)


async def _tell_validation(_: Request, error: RequestValidationError) -> Response:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part not in {"query", "path", "body"})
    return failure(400, "bad_request", f"{where or 'the body'}: {first['msg']}", "correct it")


async def _tell_http(_: Request, error: HTTPException) -> Response:
    code, fix = _BY_STATUS.get(error.status_code, ("refused", ""))
    answer = failure(error.status_code, code, str(error.detail), fix)
    answer.headers.update(error.headers or {})
    return answer


async def _tell_unknown(request: Request, error: Exception) -> Response:
    facts = {"action": "request_failed", "path": request.url.path}
    logger.error("a request failed", extra=facts, exc_info=error)
    return failure(500, "internal", _INTERNAL, "its log says more: logs/dashboard.log of the home")
