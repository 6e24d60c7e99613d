"""The dashboard of a running stack, asked over HTTP as a browser or a program does."""

import contextlib
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from tests.support.stacks import Stack

ANSWER_SECONDS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the dashboard answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Of a failure."""
        return str(self.json()["error"]["code"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """Where it is, and the token."""

    origin: str
    token: str

    @classmethod
    def of(cls, stack: Stack) -> "Dashboard":
        record = stack.record
        token = stack.home.credentials()["dashboard_token"]
        return cls(origin=record["dashboard_origin"], token=token)

    @property
    def host(self) -> str:
        return urlsplit(self.origin).netloc

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        is_known: bool = True,
    ) -> Reply:
        """Send one request as it is; `is_known` adds the token."""
        known = {"Authorization": f"Bearer {self.token}"} if is_known else {}
        parts = urlsplit(self.origin)
        connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=ANSWER_SECONDS
        )
        with contextlib.closing(connection):
            connection.request(method, path, body, {**known, **(headers or {})})
            answer = connection.getresponse()
            sent = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(status=answer.status, headers=sent, body=answer.read())

    def get(self, path: str, **parameters: Any) -> Any:
        """Return the JSON of `/api/v1<path>`, which has to be there."""
        reply = self.ask(api_path(path, **parameters))
        assert reply.status == 200, (reply.status, reply.body[:2000])
        return reply.json()

    def refusal(self, path: str, **parameters: Any) -> tuple[int, str]:
        """Return status and code of what `/api/v1<path>` refuses."""
        reply = self.ask(api_path(path, **parameters))
        return reply.status, reply.code

    def sql(self, query: str, **more: Any) -> Reply:
        """Ask a query."""
        return self.ask(
            "/api/v1/sql",
            method="POST",
            headers={"Content-Type": "application/json"},
            body=json.dumps({"query": query, **more}).encode(),
        )

    def pages(self, path: str, limit: int, **parameters: Any) -> list[list[dict[str, Any]]]:
        """Return the items of all pages of a list."""
        found, cursor = [], ""
        while True:
            page = self.get(path, limit=limit, cursor=cursor, **parameters)
            found.append(page["items"])
            if page["next_cursor"] is None:
                return found
            cursor = page["next_cursor"]


def api_path(path: str, **parameters: Any) -> str:
    """Return the path below `/api/v1`; `from_` stands for `from`."""
    named = {name.rstrip("_"): value for name, value in parameters.items()}
    query = f"?{urlencode(named)}" if named else ""
    return f"/api/v1{quote(path, safe='/%')}{query}"
