"""What is not the API: logging in, the pages, probes."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import PlainTextResponse, RedirectResponse

from infrastructure.errors import HistoryError
from mission_control.server import metrics
from mission_control.server.auth import cookie_name, is_token, session_cookie
from mission_control.server.desk import AtDesk
from mission_control.server.failures import failure
from mission_control.server.gate import LOGIN_PATH
from mission_control.server.pages import STYLE_PATH, login_page, plain_style, unbuilt_page
from mission_control.server.static_files import StaticFiles

API_ROOT = "api/"
READ = ["GET", "HEAD"]
_WRONG = '<p class="note">That link does not fit: its token is another home\'s, or was changed.</p>'

router = APIRouter(include_in_schema=False)


@router.get(LOGIN_PATH)
async def login(desk: AtDesk, token: Annotated[str, Query(max_length=500)] = "") -> Response:
    """Exchange the token for a cookie."""
    if not is_token(token, desk.config.token):
        return login_page(401 if token else 200, _WRONG if token else "")
    cookie = session_cookie(
        cookie_name(desk.config.port), desk.config.token, is_secure=desk.config.has_tls
    )
    return RedirectResponse("/", 303, headers={"set-cookie": cookie, "cache-control": "no-store"})


@router.api_route("/healthz", methods=READ)
async def healthz() -> Response:
    """Say that the process serves."""
    return PlainTextResponse("ok\n")


@router.api_route("/readyz", methods=READ)
async def readyz(desk: AtDesk) -> Response:
    """Say whether history answers, too."""
    try:
        is_ready = await asyncio.to_thread(desk.archive.is_answering)
    except HistoryError:
        is_ready = False
    return PlainTextResponse(
        "ready\n" if is_ready else "history does not answer\n", 200 if is_ready else 503
    )


@router.get("/metrics")
def all_metrics(desk: AtDesk) -> Response:
    """Return counts and times for Prometheus."""
    return Response(desk.metrics.text(), media_type=metrics.CONTENT_TYPE)


@router.get(STYLE_PATH)
async def style() -> Response:
    """Return the style of the pages that need no build."""
    return Response(plain_style(), media_type="text/css", headers={"cache-control": "no-cache"})


def pages_router(files: StaticFiles) -> APIRouter:
    """Return what serves the built pages: the last route of all."""
    pages = APIRouter(include_in_schema=False)

    @pages.api_route("/{path:path}", methods=READ)
    def page(path: str, request: Request) -> Response:
        if path.startswith(API_ROOT):
            return failure(404, "not_found", f"there is no /{path[:200]}", "see /api/openapi.json")
        if not files.is_built:
            return unbuilt_page()
        found = files.answer(path, request.headers)
        if found is not None:
            return found
        if path.startswith("assets/"):
            return failure(404, "not_found", "there is no such asset", "load the page again")
        return files.page()

    return pages
