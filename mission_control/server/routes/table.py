"""The API as a whole: which endpoints there are and how it documents itself."""

from importlib import metadata
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.types import Lifespan

from mission_control.server.models import FailureAnswer
from mission_control.server.routes import (
    agents,
    events,
    past,
    resources,
    runs,
    session,
    sql,
    traces,
    trust,
)

PREFIX = "/api/v1"
OPENAPI_PATH = "/api/openapi.json"
TITLE = "Mission control"
DESCRIPTION = (
    "What a swarm did and does. Every answer with a status of 400 and above is a `FailureAnswer`. "
    "Ask with `Authorization: Bearer TOKEN`, or with the cookie of `GET /login?token=TOKEN`."
)
_STATUSES = {
    400: "A parameter or query cannot be used.",
    401: "No token, or a wrong one.",
    403: "Another origin, another host, or a query that readers may not ask.",
    404: "It is not recorded.",
    422: "What was asked for is ambiguous, or the query fails.",
    503: "History or the bus cannot be reached.",
}
FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"model": FailureAnswer, "description": description}
    for status, description in _STATUSES.items()
}
_PARTS = (session, runs, agents, events, traces, resources, past, trust, sql)


def api_router() -> APIRouter:
    """Return all endpoints of the API."""
    router = APIRouter(prefix=PREFIX, responses=FAILURES)
    for part in _PARTS:
        router.include_router(part.router)
    return router


def bare_app(lifespan: Lifespan[FastAPI] | None = None) -> FastAPI:
    """Return an application that has no endpoints yet.

    Its pages of documentation are left out: they load scripts from elsewhere.
    """
    return FastAPI(
        lifespan=lifespan,
        title=TITLE,
        description=DESCRIPTION,
        version=metadata.version("enchanted-swarm"),
        openapi_url=OPENAPI_PATH,
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
    )
