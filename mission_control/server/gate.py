"""What every request passes: its host, its origin, who asks; and what every answer carries.

An ASGI application around the others, so that nothing below it can be reached past it, and no
answer leaves without its headers, whatever made it.
"""

import time
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mission_control.server.auth import cookie_name, has_bearer, has_session
from mission_control.server.config import DashboardConfig
from mission_control.server.failures import failure
from mission_control.server.headers import security_headers
from mission_control.server.metrics import Metrics
from mission_control.server.pages import login_page
from mission_control.server.reach import is_known_host, is_own_origin

LOGIN_PATH = "/login"
ASSETS = "/assets/"
OPEN_PATHS = frozenset({"/healthz", "/readyz", LOGIN_PATH, "/favicon.svg"})
"""Open to all: they tell nothing about the swarm."""
SAFE_METHODS = frozenset({"GET", "HEAD"})
MAX_BODY_BYTES = 1024 * 1024
_LOGIN_HINT = "open the link that `swarm up` and `swarm status` print"


class Gate:
    """Lets through what may pass."""

    def __init__(self, app: ASGIApp, config: DashboardConfig, metrics: Metrics) -> None:
        self._app = app
        self._config = config
        self._metrics = metrics
        self._cookie = cookie_name(config.port)
        self._headers = security_headers(config.socket_origin)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        started_at = time.perf_counter()
        statuses: list[int] = []

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(int(message["status"]))
                self._add_headers(message)
            await send(message)

        try:
            target = self._refusal(scope) or self._app
            await target(scope, receive, send_guarded)
        finally:
            status = statuses[0] if statuses else 500
            self._metrics.note_request(scope, status, time.perf_counter() - started_at)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not is_known_host(host, self._config.origins):
            return failure(
                403,
                "wrong_host",
                f"this server does not answer to {host[:200]!r}",
                "open it by 127.0.0.1, or name its origin in SWARM_DASHBOARD_ORIGINS",
            )
        return (
            self._refused_origin(scope, headers, host)
            or self._refused_stranger(scope, headers)
            or _refused_body(scope, headers)
        )

    def _refused_origin(
        self, scope: Scope, headers: Mapping[str, str], host: str
    ) -> Response | None:
        if scope["method"] in SAFE_METHODS:
            return None
        origin = headers.get("origin")
        if origin is None:
            is_good = has_bearer(headers, self._config.token)
        else:
            is_good = is_own_origin(origin, host, self._config.origins)
        if is_good:
            return None
        return failure(403, "wrong_origin", "only this server's own pages may ask for that")

    def _refused_stranger(self, scope: Scope, headers: Mapping[str, str]) -> Response | None:
        path, token = scope["path"], self._config.token
        if path in OPEN_PATHS or path.startswith(ASSETS):
            return None
        if has_bearer(headers, token) or has_session(headers, self._cookie, token):
            return None
        if "text/html" in headers.get("accept", "") and scope["method"] in SAFE_METHODS:
            return login_page(401)
        answer = failure(401, "not_logged_in", "a token is needed", _LOGIN_HINT)
        answer.headers["www-authenticate"] = "Bearer"
        return answer

    def _add_headers(self, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        for name, value in self._headers.items():
            headers.setdefault(name, value)
        headers.setdefault("cache-control", "no-store")


def _refused_body(scope: Scope, headers: Mapping[str, str]) -> Response | None:
    if scope["method"] in SAFE_METHODS:
        return None
    given = headers.get("content-length", "")
    if not given.isdecimal():
        return failure(411, "length_required", "the length of the body is not said")
    if int(given) > MAX_BODY_BYTES:
        return failure(413, "too_large", f"a body of more than {MAX_BODY_BYTES} bytes")
    return None
